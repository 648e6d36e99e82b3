"""Coroutine functions whose awaited results are cached, with the same locks and keys.

Calls of the store run in a thread, so that the loop goes on meanwhile; memory is
asked directly. Within a loop one task per key creates, and the others await it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import update_wrapper
from typing import Any
from weakref import WeakKeyDictionary

from beaker._caching.freshness import ABSENT, FRESH
from beaker._caching.functions import CachedFunction
from beaker._caching.regeneration import ValueStore
from beaker._caching.steps import CREATE, Acquire, Regeneration
from beaker.exceptions import StoreUnavailableError
from beaker.records import Record

__all__ = ["cached_coroutine"]

#: Seconds between two looks at a lease that somebody outside this loop holds.
POLL_EVERY = 0.015

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

        steps = values.regeneration(key, record, cache.expiretime, cache.starttime)
        if values.is_creating(key):
            return await _run(values, steps, create)
        flights = _flights.setdefault(asyncio.get_running_loop(), {})
        name = (id(values), key)
        flight = flights.get(name)
        if flight is None:
            flight = asyncio.create_task(_run(values, steps, create))
            flights[name] = flight
            flight.add_done_callback(lambda _: flights.pop(name, None))
            # Whoever is cancelled stops waiting; the value is made for the others.
            return await asyncio.shield(flight)
        if record is not None and state is not ABSENT:
            values.tell_read(key, "stale")
            return record.value
        return await _made_by(flight, values, key, cache.starttime)

    return update_wrapper(cached, function)


async def _made_by(
    flight: asyncio.Task[Any], values: ValueStore, key: str, starttime: float | None
) -> Any:
    """Await another task's creation; return a copy of one's own, if there is one."""
    value = await asyncio.shield(flight)
    record = await _read(values, key)
    if record is not None and values.state_of(key, record, starttime) is FRESH:
        return record.value
    return value


async def _read(values: ValueStore, key: str) -> Record | None:
    try:
        if values.store.holds_objects:
            return values.read(key)
        return await asyncio.to_thread(values.read, key)
    except StoreUnavailableError:
        return None


async def _run(
    values: ValueStore, steps: Regeneration, create: Callable[[], Awaitable[Any]]
) -> Any:
    """Take the steps of a regeneration without blocking the loop."""
    advance: Callable[[Any], Any] = steps.send
    argument: Any = None
    while True:
        try:
            step = advance(argument)
        except StopIteration as end:
            return end.value
        try:
            argument = await _take(values, step, create)
            advance = steps.send
        # Cancellation too passes the step that frees the lease.
        except BaseException as e:  # noqa: BLE001
            advance, argument = steps.throw, e


async def _take(
    values: ValueStore, step: Any, create: Callable[[], Awaitable[Any]]
) -> Any:
    if step is CREATE:
        return await create()
    if isinstance(step, Acquire) and step.wait:
        # Not in a thread: those that wait there could take all threads from the one
        # that they wait for.
        while not await _call(values, step.attempt):
            await asyncio.sleep(POLL_EVERY)
            if await _call(values, step.ready):
                return False
        return True
    return await _call(values, step)


async def _call(values: ValueStore, function: Callable[[], Any]) -> Any:
    if values.store.holds_objects and not values.store.is_legacy:
        return function()
    return await asyncio.to_thread(function)
