"""Where subclasses of Beaker 1.x change the bytes that a session is written as."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

from beaker._sessions.base import ConfigurableSession
from beaker._sessions.settings import SessionSettings, settings_of

__all__ = ["PayloadSession"]


class PayloadSession(ConfigurableSession):
    """A session with the payloads of 1.x.

    A subclass that overrides `_encrypt_data`, `_decrypt_data` or `_set_serializer`
    writes its own bytes: nothing is added to them, and they are read by itself. Any
    other session writes records, whose times and seal are beyond its data.
    """

    _writes_own_bytes: ClassVar[bool] = False
    #: Whether it has a constructor of its own, and so may take any option.
    _takes_own_options: ClassVar[bool] = False
    _payload_is_ours = False

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if not cls.__module__.startswith("beaker."):
            cls._takes_own_options |= "__init__" in vars(cls)
        own = ("_encrypt_data", "_decrypt_data", "_set_serializer")
        cls._writes_own_bytes = any(
            getattr(cls, name) is not getattr(PayloadSession, name) for name in own
        )

    def _settings_for(self, options: Mapping[str, Any]) -> SessionSettings:
        return settings_of(options, tells_names=not self._takes_own_options)

    @cached_property
    def serializer(self) -> Any:
        """What serializes payloads."""
        return self._settings.former_serializer

    @cached_property
    def crypto_module(self) -> Any:
        """The cipher; None where nothing is encrypted."""
        return self._settings.cipher

    def _set_serializer(self, data_serializer: Any) -> None:
        """Choose what serializes payloads: "pickle", "json" or an object."""
        chosen = settings_of({"data_serializer": data_serializer})
        self.data_serializer = data_serializer
        self.serializer = chosen.former_serializer

    def _encrypt_data(self, session_data: dict[str, Any] | None = None) -> Any:
        """Return data, or else all that the session holds, as a payload."""
        data = session_data or self.copy()
        return self._settings.former_payloads.encode(data, self.serializer)

    def _decrypt_data(self, session_data: Any) -> Any:
        """Return the data in a payload."""
        return self._settings.former_payloads.decode(
            session_data, self.serializer, is_trusted=self._payload_is_ours
        )
