"""What a type checker says to the author of a store, a listener or a serializer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from beaker.hookspecs import hookimpl
from beaker.protocols import Coercer, Lease, NamespaceManager, Serializer, text
from beaker.synchronization import RemoteLease


class TableLease(RemoteLease):
    def take(self) -> bool:
        return True

    def renew(self) -> bool:
        return True

    def free(self) -> None: ...


class TableNamespaceManager(NamespaceManager):
    options: ClassVar[Mapping[str, Coercer]] = {"bucket": text}
    unavailable = (ConnectionError, TimeoutError)

    def fetch(self, key: str) -> bytes | None:
        return key.encode()

    def lease(self, key: str) -> Lease:
        return TableLease(("table", self.namespace, key))


class WrongStore(NamespaceManager):
    def fetch(self, key: str) -> str:  # type: ignore[override]  # a store moves bytes
        return key


class Compact:
    def dumps(self, value: Any, /) -> bytes:
        return json.dumps(value).encode()

    def loads(self, data: bytes, /) -> Any:
        return json.loads(data)


class Metrics:
    @hookimpl
    def value_read(self, outcome: str) -> None: ...


serializer: Serializer = Compact()
no_serializer: Serializer = Metrics()  # type: ignore[assignment]  # it has no dumps
