"""Coroutine functions whose awaited results are cached, with the same locks and keys.

Calls of the store run in a thread, so that the loop goes on meanwhile; memory is
asked directly. Within a loop one task per key creates, and the others await it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import update_wrapper
from typing import Any
from weakref import WeakKeyDictionary

from beaker._caching.creation import Creation, is_creating
from beaker._caching.freshness import FRESH, STALE
from beaker._caching.functions import CachedFunction, FunctionCache
from beaker._caching.recordstore import RecordStore
from beaker._caching.regeneration import ValueStore
from beaker._locks.waiting import Patience
from beaker.exceptions import StoreRefusedError, StoreUnavailableError
from beaker.records import Record

__all__ = ["cached_coroutine", "equip"]

#: Seconds between two looks at a lease that somebody outside this loop holds.
POLL_EVERY = 0.015

#: Creations in the background at most in one loop. What finds no room is asked for
#: again by the next reader, who is served the stale value as well.
MAX_IN_BACKGROUND = 100

_Flights = dict[tuple[int, str], "asyncio.Task[Any]"]

_flights: WeakKeyDictionary[asyncio.AbstractEventLoop, _Flights] = WeakKeyDictionary()


def cached_coroutine(own: CachedFunction) -> Callable[..., Any]:
    """Return the coroutine function that answers from the cache where it can."""
    function = own.function

    async def cached(*args: Any, **kwargs: Any) -> Any:
        cache = own.opened or own.cache()
        if cache is None:
            return await function(*args, **kwargs)
        key, values = own.key_of_call(args, kwargs), cache.values
        record = await _read(values, key)
        state = values.state_of(key, record, cache.starttime)
        if record is not None and state is FRESH:
            values.tell_read(key, "hit")
            return record.value

        def create() -> Awaitable[Any]:
            return function(*args, **kwargs)  # type: ignore[no-any-return]  # a coroutine

        wanted = _Wanted(cache, key, record if state is STALE else None, create)
        return await wanted.value()

    return update_wrapper(cached, function)


def equip(cached: Any, own: CachedFunction) -> None:
    """Give a coroutine function what `operations.equip` gives others; all is awaited."""

    async def refresh(*args: Any, **kwargs: Any) -> Any:
        cache = own.cache()
        if cache is None:
            return await own.function(*args, **kwargs)
        key, expire = own.key_of_call(args, kwargs), cache.expiretime
        creation = cache.values.refreshment(key, expire)
        return await _made(creation, lambda: own.function(*args, **kwargs))

    async def invalidate(*args: Any, **kwargs: Any) -> None:
        cache = own.cache()
        if cache is not None:
            key, remove = own.key_of_arguments(args, kwargs), cache.remove_value
            await _call(cache.values, lambda: remove(key))

    async def invalidate_all() -> None:
        cache = own.cache()
        if cache is not None:
            await _call(cache.values, cache.clear)

    cached.invalidate, cached.invalidate_all = invalidate, invalidate_all
    cached.refresh, cached.uncached = refresh, own.function


class _Wanted:
    """A value that a task wants and that is not fresh.

    Args:
        cache: Where it is kept.
        key: Its key.
        stale: The record that may be served meanwhile.
        create: Returns what is awaited for a new value.
    """

    def __init__(
        self,
        cache: FunctionCache,
        key: str,
        stale: Record | None,
        create: Callable[[], Awaitable[Any]],
    ) -> None:
        self._cache, self._values, self._key = cache, cache.values, key
        self._stale, self._create = stale, create
        self._name = id(self._values), key

    async def value(self) -> Any:
        """Return it, made by this task or by another."""
        values, key = self._values, self._key
        if is_creating(values, key):
            return values.value_within(key, self._stale)
        flights = _flights.setdefault(asyncio.get_running_loop(), {})
        flight = flights.get(self._name)
        if self._stale is not None and (flight is not None or values.background):
            if flight is None and len(flights) < MAX_IN_BACKGROUND:
                self._begin(flights)
            values.tell_read(key, "stale")
            return self._stale.value
        if flight is None:
            # Whoever is cancelled stops waiting; the value is made for the others.
            return await asyncio.shield(self._begin(flights))
        return await self._made_by(flight)

    def _begin(self, flights: _Flights) -> asyncio.Task[Any]:
        flight = asyncio.create_task(self._flown())
        flights[self._name] = flight
        flight.add_done_callback(lambda _: flights.pop(self._name, None))
        return flight

    async def _flown(self) -> Any:
        cache, values, stale = self._cache, self._values, self._stale
        creation = Creation(values, self._key, stale, cache.expiretime, cache.starttime)
        if stale is None or not values.background:
            return await _made(creation, self._create)
        creation.is_read = False
        try:
            return await _made(creation, self._create)
        except Exception as e:  # noqa: BLE001 - whatever the program's function raises
            return values.failed_unseen(self._key, e)

    async def _made_by(self, flight: asyncio.Task[Any]) -> Any:
        """Await another task's creation; return a copy of one's own, if there is one."""
        values, key = self._values, self._key
        patience = Patience(timeout=values.acquire_timeout)
        # Not cancelled with this task, nor ended by its patience.
        await asyncio.wait([flight], timeout=patience.left())
        if not flight.done():
            raise patience.timed_out(key)
        if flight.cancelled():
            return await self.value()
        value = flight.result()
        record = await _read(values, key)
        if values.state_of(key, record, self._cache.starttime) is FRESH:
            return record.value  # type: ignore[union-attr]  # None is never fresh
        return value


async def _read(values: ValueStore, key: str) -> Record | None:
    try:
        if values.store.holds_objects:
            return values.read(key)
        return await asyncio.to_thread(values.read, key)
    except (StoreUnavailableError, StoreRefusedError) as e:
        return values.does_without(e)


async def _made(creation: Creation, create: Callable[[], Awaitable[Any]]) -> Any:
    """Do as `Creation.made` does without blocking the loop."""
    values = creation.values
    try:
        try:
            await _taken(creation)
            if creation.served is not None:
                return creation.served.value
            with creation:
                value = await create()
            await _call(values, lambda: creation.fill(value))
            return value
        finally:
            await _call(values, creation.free)
    except BaseException:
        # The loop may have ended before the line above.
        creation.free()
        raise
    finally:
        creation.tell()


async def _taken(creation: Creation) -> None:
    # Those that wait in a thread could take all threads from the one that they wait
    # for: asked again and again, it waits here.
    values = creation.values
    patience = Patience(timeout=values.acquire_timeout)
    while not await _call(values, lambda: creation.take(wait=False)):
        if patience.is_over():
            raise patience.timed_out(creation.key)
        await asyncio.sleep(POLL_EVERY)
        if await _call(values, creation.has_come):
            return


async def _call(values: RecordStore, function: Callable[[], Any]) -> Any:
    if values.store.holds_objects and not values.store.is_legacy:
        return function()
    # No task of its own: the end of the loop would cancel that one too.
    loop = asyncio.get_running_loop()
    call = loop.run_in_executor(None, copy_context().run, function)
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        # What a thread does goes on, and may be the taking of a lease: whoever undoes
        # it has to come after it.
        await asyncio.wait([call])
        raise
