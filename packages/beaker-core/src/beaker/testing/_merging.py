"""Requests that use one session at the same time: nothing is lost, and gone is gone."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from beaker.protocols import NamespaceManager
from beaker.testing._crowd import PATIENCE, SPAWN, Crowd
from beaker.testing._processes import at_once
from beaker.testing._requests import again, both, by_cookie, contents, raw, stored
from beaker.testing._strangers import can_be_sent
from beaker.testing._suite import Opener, StoreSuite, needs, rounds

__all__ = ["MergingTests"]

Options = dict[str, Any]

#: How many requests write one session at once: 8 processes with 8 threads each, or
#: as many threads of one process.
WRITERS = 64


class MergingTests(StoreSuite):
    """Part of `SessionSuite`."""

    @pytest.fixture(params=["threads", "processes"])
    def writers(
        self,
        request: pytest.FixtureRequest,
        backend: type[NamespaceManager],
        open_namespace: Opener,
    ) -> Iterator[Crowd]:
        """Requests that each add a key once all of them have loaded the session."""
        in_processes = request.param == "processes"
        if in_processes and not backend.shared_between_processes:
            pytest.skip(f"{backend.__name__} does not claim 'shared_between_processes'")
        if in_processes:
            can_be_sent(open_namespace)
        processes, threads = (8, WRITERS // 8) if in_processes else (0, WRITERS)
        loaded = SPAWN.Barrier(WRITERS)
        shared = (open_namespace.options, loaded)
        crowd = Crowd(_add_a_key, *shared, processes=processes, threads=threads)
        with crowd.gathered():
            yield crowd

    # -- two requests that both hold the session before either saves

    @needs("updates_atomically")
    def test_each_of_64_requests_keeps_the_key_that_it_added(
        self, writers: Crowd, own_options: Options
    ) -> None:
        """None saves before all have loaded."""
        for _ in range(rounds()):
            known = stored(own_options, before="kept").id

            writers.give(known)

            # Who failed answers with text, which says why.
            assert Counter(writers.answers(WRITERS)) == Counter(range(WRITERS))
            found = contents(again(own_options, known))
            assert found.pop("before") == "kept"
            assert found == {f"key {number}": number for number in range(WRITERS)}

    def test_each_keeps_what_it_set(self, own_options: Options) -> None:
        """And what neither touched."""
        one, other = both(own_options, a=0)
        one["b"], other["c"] = 1, 2

        one.save()
        other.save()

        assert contents(again(own_options, one.id)) == {"a": 0, "b": 1, "c": 2}

    def test_a_change_deep_within_a_value_counts(self, own_options: Options) -> None:
        """Nobody has to say that he changed it."""
        one, other = both(own_options, cart={"items": []}, seen=[])
        one["cart"]["items"].append("book")
        other["seen"].append("page")

        one.save()
        other.save()

        found = again(own_options, one.id)
        assert contents(found) == {"cart": {"items": ["book"]}, "seen": ["page"]}

    def test_of_two_changes_to_one_key_the_later_save_wins(
        self, own_options: Options
    ) -> None:
        """It is the same key: something has to give."""
        one, other = both(own_options, a=0)
        one["a"], other["a"] = 1, 2

        other.save()
        one.save()

        assert contents(again(own_options, one.id)) == {"a": 1}

    def test_a_deletion_and_a_change_elsewhere_both_hold(
        self, own_options: Options
    ) -> None:
        """To delete a key is a change of that key."""
        one, other = both(own_options, a=1, b=2)
        del one["a"]
        other["b"] = 3

        other.save()
        one.save()

        assert contents(again(own_options, one.id)) == {"b": 3}

    def test_clear_removes_what_its_own_request_loaded(
        self, own_options: Options
    ) -> None:
        """What another has added since is not among it."""
        one, other = both(own_options, a=1)
        other["b"] = 2
        other.save()

        one.clear()
        one["c"] = 3
        one.save()

        assert contents(again(own_options, one.id)) == {"b": 2, "c": 3}

    def test_a_revert_undoes_nobody_elses_change(self, own_options: Options) -> None:
        """It undoes what this request did."""
        one, other = both(own_options, a=1, b=1)
        other["a"] = 2
        other.save()

        one["a"] = one["b"] = 9
        one.revert()
        one["c"] = 3
        one.save()

        assert contents(again(own_options, one.id)) == {"a": 2, "b": 1, "c": 3}

    def test_a_second_save_of_a_request_undoes_nothing(
        self, own_options: Options
    ) -> None:
        """The first one has shown it what others did."""
        one, other = both(own_options, a=1)
        other["b"] = 2
        other.save()

        one["c"] = 3
        one.save()
        one["d"] = 4
        one.save()

        assert contents(again(own_options, one.id)) == {"a": 1, "b": 2, "c": 3, "d": 4}

    def test_regenerating_takes_along_what_others_saved(
        self, own_options: Options
    ) -> None:
        """Though this request has not seen it."""
        one, other = both(own_options, a=1)
        other["b"] = 2
        other.save()

        one.regenerate_id()

        assert contents(again(own_options, one.id)) == {"a": 1, "b": 2}

    # -- readers

    def test_a_reader_writes_nothing_back(self, own_options: Options) -> None:
        """Not even what it has read."""
        reader, writer = both(own_options, v=1)
        writer["v"] = 2
        writer.save()

        reader.save(accessed_only=True)
        reader.save()

        assert contents(again(own_options, reader.id)) == {"v": 2}

    def test_overlapping_readers_change_nothing(self, own_options: Options) -> None:
        """The record is the same, to the byte."""
        session = stored(own_options, v=[1])
        before, loaded = raw(session), threading.Barrier(16)

        def read(_: int) -> Any:
            reader = again(own_options, session.id)
            loaded.wait(PATIENCE)
            reader.save(accessed_only=True)
            reader.save()
            return contents(reader)

        assert at_once(16, read) == [{"v": [1]}] * 16
        assert raw(session) == before

    # -- gone is gone

    @pytest.mark.parametrize("change", [False, True], ids=["reader", "writer"])
    def test_a_request_that_ends_after_a_logout_does_not_bring_the_session_back(
        self, own_options: Options, change: bool
    ) -> None:
        """Whether it only looked or has changed something."""
        late, other = both(own_options, user="ann")
        other.delete()

        if change:
            late["user"] = "eve"
        late.save(accessed_only=True)
        late.save()
        late.save()

        assert again(own_options, late.id).is_new

    @needs("updates_atomically")
    def test_a_logout_among_writers_is_final(self, own_options: Options) -> None:
        """Whenever it comes."""
        loaded = threading.Barrier(9)
        for _ in range(rounds()):
            known = stored(own_options, user="ann").id

            def request(number: int, known: str = known) -> None:
                session = again(own_options, known)
                loaded.wait(PATIENCE)
                if number == 0:
                    session.delete()
                    return
                for count in range(10):
                    session["n"] = number, count
                    session.save()

            at_once(9, request)

            assert again(own_options, known).is_new

    def test_a_writer_brings_no_regenerated_session_back(
        self, own_options: Options
    ) -> None:
        """Under the old id there is nothing to be had."""
        writer, other = both(own_options, user="ann")
        other.regenerate_id()

        writer["user"] = "eve"
        writer.save()

        assert again(own_options, writer.id).is_new
        assert contents(again(own_options, other.id)) == {"user": "ann"}

    @pytest.mark.parametrize("how", ["delete", "regenerate_id"])
    def test_a_late_request_with_a_removed_id_overwrites_no_cookie(
        self, own_options: Options, how: str
    ) -> None:
        """The browser may have a new one by then."""
        session = by_cookie(own_options, "")
        session.save()
        former = session.id
        getattr(session, how)()

        late = by_cookie(own_options, former)
        late["late"] = True
        late.save()

        assert not late.request.get("set_cookie")
        assert again(own_options, late.id).is_new

    def test_a_deleted_session_is_not_regenerated(self, own_options: Options) -> None:
        """A new id would bring it back as well."""
        one, other = both(own_options, user="ann")
        other.delete()

        one.regenerate_id()
        one.save()

        assert again(own_options, one.id).is_new

    def test_a_programs_id_can_be_used_again_after_delete(
        self, own_options: Options
    ) -> None:
        """It is not the id that is gone."""
        session = stored(own_options, a=1)
        session.delete()

        new = again(own_options, session.id)
        new["b"] = 2
        new.save()

        assert contents(again(own_options, session.id)) == {"b": 2}


def _add_a_key(
    id: str, number: int, options: Mapping[str, Any], loaded: threading.Barrier
) -> int:
    session = again(options, id)
    loaded.wait(PATIENCE)
    session[f"key {number}"] = number
    session.save()
    return number
