"""The store that keeps nothing: for tests, and to switch caching off."""

# ruff: noqa: ARG002 - who keeps nothing has no use for what he is given

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from beaker.protocols import Lease, NamespaceManager, Purged

__all__ = ["NullNamespaceManager"]


class NullNamespaceManager(NamespaceManager):
    """Forgets at once; every creation function runs each time it is asked for."""

    holds_objects = True
    enumerable = True
    unavailable: ClassVar[tuple[type[BaseException], ...]] = ()

    def fetch(self, key: str) -> Any:
        """Return None."""
        return None

    def store(self, key: str, data: Any, ttl: float | None) -> None:
        """Keep nothing."""

    def discard(self, key: str) -> bool:
        """Return False: there is nothing to remove."""
        return False

    def replace(self, key: str, expected: Any, data: Any, ttl: float | None) -> bool:
        """Succeed where nothing is expected, and keep nothing."""
        return expected is None

    def drop(self) -> None:
        """Remove nothing."""

    def lease(self, key: str) -> Lease:
        """Return a lease that nobody else wants: creations do not wait here."""
        return _Granted()

    def fill(self, key: str, data: Any, ttl: float | None, lease: Lease) -> bool:
        """Keep nothing."""
        return True

    def keys(self) -> Iterable[str]:
        """Return no keys."""
        return ()

    def purge(self) -> int:
        """Remove nothing."""
        return 0

    def purge_sessions(
        self, unused_for: float, *, dry_run: bool = False
    ) -> Iterator[Purged]:
        """Find no sessions."""
        yield Purged(0, 0, 0)

    def session_ids(self) -> Iterator[str]:
        """Return nothing."""
        return iter(())


class _Granted(Lease):
    token = ""

    def acquire(self, wait: bool = True, timeout: float | None = None) -> bool:
        return True

    def release(self) -> None:
        pass
