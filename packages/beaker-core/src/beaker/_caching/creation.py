"""One value is being made: by whom, under which lease, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from contextvars import ContextVar
from time import perf_counter
from typing import Any
from weakref import ref

from beaker._caching.steps import CREATE, Acquire, Regeneration
from beaker.exceptions import (
    LockTimeoutError,
    StoreRefusedError,
    StoreUnavailableError,
)
from beaker.listeners import tell
from beaker.protocols import Lease
from beaker.stores import Store

__all__ = ["News", "acquired", "created", "is_creating", "leased", "spread"]

#: What the listeners are to be told once the lease is free: hooks and their facts.
News = list[tuple[str, dict[str, Any]]]


class _Creation:
    """A creation that runs, or has run: tasks begun in it remember it.

    An interrupt may keep it from saying that it runs no longer. But only what makes
    the value holds it; the others merely know of it.
    """

    __slots__ = ("__weakref__", "runs", "value")

    def __init__(self, value: tuple[Hashable, str]) -> None:
        self.value, self.runs = value, True


#: The values that this thread or task is creating.
_creating: ContextVar[tuple[ref[_Creation], ...]] = ContextVar("creating", default=())


def is_creating(store: Store, key: str) -> bool:
    """Return whether this thread or task is creating this very value."""
    known = _creating.get()
    return bool(known) and (store.identity, key) in running(known)


def running(known: Iterable[ref[_Creation]]) -> list[tuple[Hashable, str]]:
    """Return which values are being created, of those known to be or to have been."""
    return [one.value for made in known if (one := made()) is not None and one.runs]


def acquired(
    store: Store,
    key: str,
    lease: Lease,
    has_come: Callable[[], bool],
    *,
    wait: bool,
    timeout: float | None,
) -> Regeneration:
    """Take the lease on a value; return whether to make it.

    Raises:
        LockTimeoutError: `timeout` seconds have passed.
    """
    try:
        return (yield Acquire(store, key, lease, has_come, wait=wait, timeout=timeout))
    except StoreUnavailableError:
        # Nobody can tell whether another makes it: who has nothing, does.
        return wait
    except StoreRefusedError as e:
        store.goes_without("lock", e)
        return wait
    except LockTimeoutError as e:
        # A lease may have a name that only its store understands.
        raise LockTimeoutError(key, e.waited) from e


def created(store: Store, key: str, news: News) -> Regeneration:
    """Call the creation function and return the value."""
    creation, before = _Creation((store.identity, key)), _creating.get()
    try:
        _creating.set((*before, ref(creation)))
        began = perf_counter()
        value = yield CREATE
    except Exception as e:
        news.append(("creation_failed", {"error": e}))
        raise
    finally:
        creation.runs = False
        _creating.set(before)
    news.append(("value_created", {"seconds": perf_counter() - began}))
    return value


def leased(
    store: Store, key: str, make: Callable[[Lease], Regeneration]
) -> Regeneration:
    """Take the steps that `make` gives for a new lease, and free it."""
    lease = store.lease(key)
    try:
        try:
            return (yield from make(lease))
        finally:
            # Where it is not held this does nothing.
            yield lambda: store.release(lease)
    except BaseException:
        # An interrupt may have come before the step above.
        store.release(lease)
        raise


def spread(news: News, namespace: str, key: str) -> None:
    """Tell the listeners; no lease is held now."""
    for hook, facts in news:
        tell(hook, namespace=namespace, key=key, **facts)
