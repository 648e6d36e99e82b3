"""The entities of one kind: looked up by name, changed on condition, listed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from google.api_core.exceptions import Conflict
from google.cloud.datastore_v1.types import (
    CommitResponse,
    LookupResponse,
    QueryResultBatch,
    RunQueryResponse,
)

from beaker.exceptions import StoreRefusedError
from beaker_google.entities import Entry, State
from beaker_google.service import Patience, Service

__all__ = ["ABSENT", "ANY", "LARGEST", "Change", "Listed", "Seen", "Table"]

#: How many entities one request changes or lists, looks up, and reads in a row.
BATCH, LOOKED_UP, PAGE = 500, 1000, 100

_PLACE = {"name": "place"}

#: Bytes of the largest record: an entity holds 1 MiB, with its name and times.
LARGEST = 2**20 - 2**13

#: Bytes of the records in one request. Datastore takes 10 MiB, its emulator 4.
LOAD = 3 * 2**20

#: Instead of a version: only if there is no such entity; whatever there is.
ABSENT, ANY = 0, -1


class Seen(NamedTuple):
    """An entity as it was at one moment.

    Attributes:
        version: What changes with each of its changes; `ABSENT`: there is none.
        entry: What it holds.
        untold: What its name does not tell, as `Names.untold` has it; empty: nothing.
    """

    version: int = ABSENT
    entry: Entry = Entry()
    untold: bytes = b""


class Change(NamedTuple):
    """What is to become of one entity.

    Attributes:
        name: Its name.
        properties: What it is to hold; None: it is to be removed.
        version: The one that it must have now.
        size: Bytes of its record.
    """

    name: str
    properties: Mapping[str, Any] | None
    version: int = ANY
    size: int = 0


class Listed(NamedTuple):
    """An entity in the list of a namespace.

    Attributes:
        name: Its name.
        state: What the list tells of it.
    """

    name: str
    state: State


class Table:
    """One kind of a database.

    Args:
        service: The way to the database.
        kind: The name of the kind.
    """

    __slots__ = ("_kind", "_service")

    def __init__(self, service: Service, kind: str) -> None:
        self._service, self._kind = service, kind

    @property
    def identity(self) -> tuple[Any, ...]:
        """What this table has in common with no other."""
        return self._service.identity, self._kind

    def patience(self) -> Patience:
        """Return the time that one operation may take, beginning now."""
        return self._service.patience()

    def look(self, name: str, within: Patience) -> Seen:
        """Return one entity."""
        return self._find([name], within).get(name, Seen())

    def find(self, names: Iterable[str]) -> Iterator[dict[str, Seen]]:
        """Yield those that are there, one round trip per batch."""
        for some in _parts(names, LOOKED_UP):
            yield self._find(some, self.patience())

    def change(self, one: Change, within: Patience) -> int | None:
        """Change an entity if it still has the version; return the new version.

        Returns:
            None: it has another one, and nothing was changed.
        """
        try:
            result = self._commit([one], within)[0]
        except Conflict:
            # There is one where none was expected; or another works on it just now.
            return None
        return None if result.conflict_detected else int(result.version)

    def change_all(self, changes: Iterable[Change]) -> int:
        """Change many entities, in one request per batch; return how many it were."""
        done = 0
        for batch in _batches(changes):
            within = self.patience()
            while True:
                try:
                    results = self._commit(batch, within)
                except Conflict:
                    # Another works on one of them just now: nothing was changed.
                    continue
                break
            done += sum(not result.conflict_detected for result in results)
        return done

    def listed(self, places: tuple[str, str]) -> Iterator[list[Listed]]:
        """Yield the entities that are listed between two places, page by page.

        It asks for what the index of one property has, which Datastore makes by itself:
        nobody has to deploy one, and no record is read.
        """
        start, end = ({"string_value": place} for place in places)
        query = {**_between("place", start, end), "projection": [{"property": _PLACE}]}
        for page in self._pages(query, BATCH):
            yield [_listed(one.entity) for one in page]

    def named(self, names: tuple[str, str]) -> Iterator[dict[str, Seen]]:
        """Yield the entities whose names are between two, page by page, as they are."""
        start, end = ({"key_value": self._key(name)} for name in names)
        for page in self._pages(_between("__key__", start, end), PAGE):
            yield {one.entity.key.path[-1].name: _seen(one) for one in page}

    def checked(self, data: bytes) -> bytes:
        """Return a record that fits into an entity.

        Raises:
            StoreRefusedError: It does not.
        """
        if len(data) > LARGEST:
            cause = f"a record of {len(data)} bytes, and an entity holds {LARGEST}"
            remedy = "keep less under one key, or choose another store"
            raise StoreRefusedError(self._service.place(), cause, remedy)
        return data

    def _find(self, names: Iterable[str], within: Patience) -> dict[str, Seen]:
        found: dict[str, Seen] = {}
        keys: Any = [self._key(name) for name in names]
        while keys:
            answer = self._service.ask("lookup", within, keys=keys)
            for one in LookupResponse.pb(answer).found:
                found[one.entity.key.path[-1].name] = _seen(one)
            # What did not fit into the answer.
            keys = list(answer.deferred)
        return found

    def _pages(self, query: dict[str, Any], size: int) -> Iterator[Any]:
        kind = [{"name": self._kind}]
        unfinished = QueryResultBatch.MoreResultsType.NOT_FINISHED
        cursor = b""
        while True:
            asked = {**query, "kind": kind, "limit": size, "start_cursor": cursor}
            partition = self._service.partition()
            answer = self._service.ask(
                "run_query", self.patience(), partition_id=partition, query=asked
            )
            batch = RunQueryResponse.pb(answer).batch
            if batch.entity_results:
                yield batch.entity_results
            if len(batch.entity_results) < size and batch.more_results != unfinished:
                return
            cursor = batch.end_cursor

    def _commit(self, changes: Sequence[Change], within: Patience) -> Any:
        # Without a transaction, whose locks would outlive a process that is killed.
        mutations = [self._mutation(one) for one in changes]
        answer = self._service.ask(
            "commit", within, mode="NON_TRANSACTIONAL", mutations=mutations
        )
        return CommitResponse.pb(answer).mutation_results

    def _mutation(self, change: Change) -> dict[str, Any]:
        key = self._key(change.name)
        if change.properties is None:
            mutation: dict[str, Any] = {"delete": key}
        else:
            act = "insert" if change.version == ABSENT else "upsert"
            mutation = {act: {"key": key, "properties": change.properties}}
        if change.version not in {ABSENT, ANY}:
            mutation["base_version"] = change.version
        return mutation

    def _key(self, name: str) -> dict[str, Any]:
        return {
            "partition_id": self._service.partition(),
            "path": [{"kind": self._kind, "name": name}],
        }


def _between(name: str, start: Mapping[str, Any], end: Mapping[str, Any]) -> Any:
    bounds = (("GREATER_THAN_OR_EQUAL", start), ("LESS_THAN", end))
    filters = [
        {"property_filter": {"property": {"name": name}, "op": op, "value": value}}
        for op, value in bounds
    ]
    return {
        "filter": {"composite_filter": {"op": "AND", "filters": filters}},
        "order": [{"property": {"name": name}, "direction": "ASCENDING"}],
    }


def _batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    batch: list[Change] = []
    load = 0
    for one in changes:
        if batch and (len(batch) == BATCH or load + one.size > LOAD):
            yield batch
            batch, load = [], 0
        batch.append(one)
        load += one.size
    if batch:
        yield batch


def _parts(names: Iterable[str], size: int) -> Iterator[list[str]]:
    every = iter(names)
    while some := list(islice(every, size)):
        yield some


def _seen(result: Any) -> Seen:
    properties = result.entity.properties
    untold = properties["untold"].blob_value if "untold" in properties else b""
    return Seen(result.version, Entry.read(properties), untold)


def _listed(entity: Any) -> Listed:
    written = entity.properties["place"].string_value.rpartition("/")[2]
    return Listed(entity.key.path[-1].name, State.read(written))
