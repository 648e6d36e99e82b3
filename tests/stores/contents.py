"""What lies in a store, looked at and overwritten behind the store's back."""

from __future__ import annotations

import socket
import sqlite3
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import uuid4

import sqlalchemy as sa
from pymemcache.client.base import Client as Memcached
from pymongo import MongoClient
from redis import Redis

__all__ = ["InFiles", "InMemcached", "InMongo", "InRedis", "InSql", "InSqlite", "Raw"]

#: Seconds that a busy machine may take: no test of these is about outages.
PATIENT = 10


class Raw(ABC):
    """The contents of one store, as they are for whoever has access to it.

    Attributes:
        options: What chooses the store, for a cache or a session.
    """

    def __init__(self, **options: Any) -> None:
        self.options = options

    @abstractmethod
    def places(self) -> set[Any]:
        """Return all there is: records, and whatever is kept beside them."""

    @abstractmethod
    def read(self, place: Any) -> bytes | None:
        """Return the record at a place; None if that is no record."""

    @abstractmethod
    def write(self, place: Any, data: bytes) -> None:
        """Put something else in the place of a record."""

    def close(self) -> None:  # noqa: B027  # not all of them have any
        """End connections."""

    def new_record(self, before: set[Any]) -> Any:
        """Return the place of the one record that was not there before."""
        (place,) = [p for p in self.places() - before if self.read(p) is not None]
        return place


class InFiles(Raw):
    """Files and directories."""

    def __init__(self, directory: Path, type: str = "file") -> None:
        self.directory = directory
        super().__init__(type=type, data_dir=str(directory / "data"))

    def places(self) -> set[Path]:
        """Return all paths, those of locks too."""
        return set(self.directory.rglob("*"))

    def read(self, place: Path) -> bytes | None:
        """Return a file's content; what locks keep is no record."""
        is_record = place.is_file() and "_lock" not in str(place)
        return place.read_bytes() if is_record else None

    def write(self, place: Path, data: bytes) -> None:
        """Give a file another content."""
        place.write_bytes(data)


class InSqlite(Raw):
    """Rows of the one table, by their primary key."""

    _database: sqlite3.Connection | None = None

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        super().__init__(type="sqlite", data_dir=str(directory))

    def places(self) -> set[tuple[str, str]]:
        """Return all rows, those of leases too."""
        return set(self._do("select namespace, key from records"))

    def read(self, place: tuple[str, str]) -> bytes | None:
        """Return a row's data."""
        ((data,),) = self._do(
            "select data from records where namespace = ? and key = ?", *place
        )
        return None if data is None else bytes(data)

    def write(self, place: tuple[str, str], data: bytes) -> None:
        """Give a row other data."""
        self._do(
            "update records set data = ? where namespace = ? and key = ?", data, *place
        )

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()

    def _do(self, statement: str, *values: Any) -> list[Any]:
        found = list(self.directory.rglob("*.sqlite3"))
        if not found:
            return []
        if self._database is None:
            self._database = sqlite3.connect(found[0], isolation_level=None)
        return self._database.execute(statement, values).fetchall()


class InRedis(Raw):
    """All names of one application."""

    def __init__(self, url: str) -> None:
        self._client, self._prefix = Redis.from_url(url), f"raw-{uuid4().hex}:"
        super().__init__(
            type="ext:redis", url=url, prefix=self._prefix, store_timeout=PATIENT
        )

    def places(self) -> set[bytes]:
        """Return all names, those of leases and times too."""
        return set(self._client.scan_iter(match=f"*{self._prefix}*", count=1000))

    def read(self, place: bytes) -> bytes | None:
        """Return a string; all else is no record."""
        if self._client.type(place) != b"string" or place[-1:] in b"#@!":
            return None
        found: Any = self._client.get(place)
        return bytes(found)

    def write(self, place: bytes, data: bytes) -> None:
        """Set a string."""
        self._client.set(place, data)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


class InMemcached(Raw):
    """All names of one application, as the server lists them."""

    def __init__(self, url: str) -> None:
        self._client = Memcached(url, default_noreply=False, allow_unicode_keys=True)
        host, _, port = url.partition(":")
        self._address = host, int(port)
        self._prefix = f"raw-{uuid4().hex}:"
        super().__init__(
            type="ext:memcached", url=url, prefix=self._prefix, store_timeout=PATIENT
        )

    def places(self) -> set[bytes]:
        """Return all names, those of leases and times too."""
        quoted = (line.split(b" ")[0] for line in self._dumped().split(b"\n"))
        names = {unquote_to_bytes(name.removeprefix(b"key=")) for name in quoted}
        return {name for name in names if name.startswith(self._prefix.encode())}

    def read(self, place: bytes) -> bytes | None:
        """Return an item; one of 16 bytes is the generation of a namespace."""
        found: bytes | None = self._client.get(place)
        is_record = found is not None and len(found) > 16 and place[-1:] not in b"#@"
        return found if is_record else None

    def write(self, place: bytes, data: bytes, flags: int = 0) -> None:
        """Set an item, with the flags by which clients choose how to read it."""
        self._client.set(place, data, flags=flags)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _dumped(self) -> bytes:
        told = b""
        with socket.create_connection(self._address) as connection:
            connection.sendall(b"lru_crawler metadump hash\r\n")
            while not told.endswith(b"END\r\n"):
                more = connection.recv(1 << 16)
                assert more, told
                told += more
        return told


class InMongo(Raw):
    """All documents of a database that is this test's own."""

    def __init__(self, url: str) -> None:
        name = f"raw_{uuid4().hex}"
        self._client: MongoClient[dict[str, Any]] = MongoClient(url)
        self._database = self._client[name]
        url = f"{url.rpartition('/')[0]}/{name}"
        super().__init__(type="ext:mongodb", url=url, store_timeout=PATIENT)

    def places(self) -> set[tuple[str, Any]]:
        """Return all documents of all collections."""
        return {
            (collection, document["_id"])
            for collection in self._database.list_collection_names()
            for document in self._database[collection].find({}, {"_id": 1})
        }

    def read(self, place: tuple[str, Any]) -> bytes | None:
        """Return the bytes in a document."""
        found = self._database[place[0]].find_one({"_id": place[1]}) or {}
        data = found.get("data", found.get("value"))
        return None if data is None else bytes(data)

    def write(self, place: tuple[str, Any], data: bytes) -> None:
        """Put other bytes in a document."""
        collection, found = self._database[place[0]], {"_id": place[1]}
        field = "value" if place[0] == "backer_cache" else "data"
        collection.update_one(found, {"$set": {field: data}}, upsert=True)

    def close(self) -> None:
        """Remove the database."""
        self._client.drop_database(self._database)
        self._client.close()


class InSql(Raw):
    """All rows of the two tables of this test."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        self._name = f"raw_{uuid4().hex}"
        super().__init__(
            type="ext:database", url=url, table_name=self._name, store_timeout=PATIENT
        )

    def places(self) -> set[Any]:
        """Return all rows, those of leases too."""
        columns = {self._name: ["namespace"], f"{self._name}_2": ["space", "name"]}
        found: set[Any] = set()
        with self._engine.connect() as connection:
            for table in columns.keys() & set(sa.inspect(connection).get_table_names()):
                names: list[Any] = [sa.column(name) for name in columns[table]]
                rows = connection.execute(
                    sa.select(*names).select_from(sa.table(table))
                )
                found.update((table, *row) for row in rows)
        return found

    def read(self, place: Any) -> bytes | None:
        """Return a row's data."""
        table, where = self._row(place)
        with self._engine.connect() as connection:
            data = connection.scalar(sa.select(table.c.data).where(where))
        return None if data is None else bytes(data)

    def write(self, place: Any, data: bytes) -> None:
        """Give a row other data."""
        table, where = self._row(place)
        with self._engine.connect() as connection:
            connection.execute(table.update().where(where).values(data=data))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _row(self, place: Any) -> tuple[Any, Any]:
        names = ["namespace"] if len(place) == 2 else ["space", "name"]
        every: list[Any] = [sa.column(name) for name in [*names, "data"]]
        table = sa.table(place[0], *every)
        pairs = zip(names, place[1:], strict=True)
        return table, sa.and_(*(table.c[name] == value for name, value in pairs))
