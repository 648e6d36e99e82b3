"""The options of a session, checked once and made ready for every request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache, partial
from typing import Any

from beaker._sessions.checking import (
    check_cookie,
    check_nonce,
    check_secrets,
    secrets_in,
)
from beaker._sessions.codec import StoreCodec
from beaker._sessions.cookiecodec import CookieCodec
from beaker._sessions.cookieheaders import check_name
from beaker._sessions.cookieids import CookieIds
from beaker._sessions.format import SessionFormat
from beaker._sessions.formerpayloads import FormerPayloads
from beaker._sessions.lifetime import MARGIN, Lifetime
from beaker._sessions.markers import Markers
from beaker._sessions.records import SessionRecords
from beaker.configuration import (
    coerce_session_options,
    tell_program,
    unknown_options,
)
from beaker.crypto import cipher_for_records
from beaker.exceptions import MissingSecretError
from beaker.plugins import backend_named
from beaker.protocols import CryptoProvider
from beaker.serializers import serializer_named
from beaker.signing import KeyRing
from beaker.stores import StoreOpener
from beaker.util import JsonSerializer, PickleSerializer

__all__ = ["SessionSettings", "settings_of"]

_DEFAULTS: Mapping[str, Any] = {
    "absolute_timeout": None,
    "accessed_every": 0,
    "allow": (),
    "cookie_domain": None,
    "cookie_expires": True,
    "cookie_path": "/",
    "crypto_type": "default",
    "data_dir": None,
    "data_serializer": "pickle",
    "encrypt_key": None,
    "encrypt_nonce_bits": 128,
    "httponly": True,
    "invalidate_corrupt": False,
    "key": "beaker.session.id",
    "legacy_until": None,
    "mode": "migrate",
    "namespace_class": None,
    "samesite": "Lax",
    "save_accessed_time": True,
    "secret": None,
    "secure": "auto",
    "timeout": None,
    "type": None,
    "validate_key": None,
}

# These mean their default where they are None; the others mean None.
_NONE_IS_DEFAULT = (
    *("allow", "cookie_path", "data_serializer", "encrypt_nonce_bits", "httponly"),
    *("save_accessed_time", "secure"),
)

# What a store is not told: the session's own options and the middleware's.
_NOT_FOR_STORES = frozenset(
    {
        *(set(_DEFAULTS) - {"data_dir"}),
        *("auto", "id", "namespace_args", "session_class", "use_cookies"),
        "webtest_varname",
    }
)


class SessionSettings:
    """What all sessions with the same options share.

    What is unsafe or misspelt in them is told to the program, in the strict mode as an
    error: secrets at once, names when it is known which ones the store takes.

    Args:
        given: The options, without prefix.
        tells_names: Whether to tell names that nobody knows; a class of the program
            may take some of its own.

    Raises:
        InvalidOptionError: An option has a value that it does not take.
        InvalidCryptoBackendError: There is a key to encrypt and no cipher.
        MissingSecretError: The strict mode has no secret.
        WeakSecretError: In the strict mode, a secret that can be guessed.
    """

    def __init__(self, given: Mapping[str, Any], *, tells_names: bool = True) -> None:
        self._named = tuple(given) if tells_names else ()
        set_ = {
            name: value
            for name, value in given.items()
            if value is not None or name not in _NONE_IS_DEFAULT
        }
        self.options = coerce_session_options({**_DEFAULTS, **set_})
        options = self.options
        self.key: str = check_name(options["key"])
        self.mode: str = options["mode"]
        self.in_cookie: bool = options["type"] == "cookie"
        self.saves_access: bool = options["save_accessed_time"]
        self.lifetime = Lifetime(
            options["timeout"], options["absolute_timeout"], options["accessed_every"]
        )
        self.cookie_config = {
            "_domain": options["cookie_domain"],
            "_path": options["cookie_path"],
        }
        self.serializer = serializer_named(options["data_serializer"])
        self.secrets = secrets_in(options["secret"])
        self.encrypt_keys = secrets_in(options["encrypt_key"])
        self.validate_keys = secrets_in(options["validate_key"])
        self.cipher = self._cipher()
        self._check()

    # -- the store

    @cached_property
    def type(self) -> Any:
        """The store by name, or its class."""
        default = "file" if self.options["data_dir"] else "memory"
        return self.options["type"] or default

    @cached_property
    def namespace_class(self) -> Any:
        """The store's class.

        Raises:
            InvalidCacheBackendError: No store answers to the name.
        """
        chosen = self.options["namespace_class"] or self.type
        from beaker import cache

        return backend_named(chosen, cache.clsmap)

    @cached_property
    def namespace_args(self) -> dict[str, Any]:
        """The options that are for the store."""
        options = self.options
        args = {k: v for k, v in options.items() if k not in _NOT_FOR_STORES}
        args.update(options.get("namespace_args") or {})
        if options["timeout"] is not None:
            args["timeout"] = options["timeout"] + MARGIN
        return args

    @cached_property
    def opener(self) -> StoreOpener:
        """What opens the record of one session."""
        opener = StoreOpener(self.namespace_class, self.namespace_args, "session")
        if opener.is_legacy:
            # Classes of 1.x were asked to keep the id readable in their files.
            args = {**self.namespace_args, "digest_filenames": False}
            return StoreOpener(self.namespace_class, args, "session")
        self._check_names(opener.backend.options)
        return opener

    @cached_property
    def markers(self) -> Markers | None:
        """What cleans up after removed sessions; None: the store does."""
        opener = self.opener
        if not opener.is_legacy and opener.backend.expires_natively:
            return None
        return Markers(opener.open)

    # -- the id in the cookie

    @cached_property
    def cookie_ids(self) -> CookieIds:
        """What writes the id into the cookie, and takes it back."""
        return CookieIds(self.key, self.secrets, self.mode)

    # -- the bytes of a session

    @cached_property
    def codec(self) -> StoreCodec:
        """How a session lies in its store."""
        backend, legacy = self.opener.backend, self.opener.is_legacy
        in_memory = not legacy and backend.holds_objects
        # Within this process a signature shows nothing.
        secrets = [] if in_memory else self.secrets or self.validate_keys
        former = self.mode == "compat"
        # Stores of one machine keep their files to their owner.
        private = in_memory or not (legacy or backend.shared_between_hosts)
        return StoreCodec(
            self._format("session record", secrets, is_private=private),
            self.former_payloads,
            self.former_serializer,
            is_private=private,
            # Who wants them encrypted finds no plain ones in a dump of the memory.
            keeps_records=in_memory and not self.encrypt_keys and not former,
            serves_former=former,
        )

    @cached_property
    def cookie_format(self) -> SessionFormat:
        """How a session lies in its cookie.

        Raises:
            MissingSecretError: There is no key to sign it with.
        """
        if not self.validate_keys:
            purpose = "sign the cookie of a Cookie only Session"
            raise MissingSecretError("validate_key", purpose)
        self._check_names()
        return self._format("session cookie", self.validate_keys)

    @cached_property
    def cookie_codec(self) -> CookieCodec:
        """What turns a session into the text of its cookie, and back."""
        payloads, serializer = self.former_payloads, self.former_serializer
        return CookieCodec(
            self.key,
            self.cookie_format,
            self.validate_keys,
            partial(payloads.encode, serializer=serializer),
            partial(payloads.decode, serializer=serializer, is_trusted=True),
            writes_payloads=self.mode == "compat",
        )

    @cached_property
    def former_payloads(self) -> FormerPayloads:
        """How 1.x wrote a session."""
        bits = self.options["encrypt_nonce_bits"]
        return FormerPayloads(
            self.encrypt_keys,
            self.validate_keys,
            self.cipher,
            nonce_bits=bits,
            allowed=self.options["allow"],
        )

    @cached_property
    def former_serializer(self) -> Any:
        """What 1.x serialized with."""
        named = {"pickle": PickleSerializer, "json": JsonSerializer}
        chosen = self.options["data_serializer"]
        return named[chosen]() if isinstance(chosen, str) else chosen

    def _format(
        self, purpose: str, secrets: list[bytes], *, is_private: bool = False
    ) -> SessionFormat:
        signing = KeyRing(secrets, f"beaker {purpose}") if secrets else None
        encrypting = None
        if self.encrypt_keys:
            encrypting = KeyRing(self.encrypt_keys, f"beaker encrypted {purpose}")
        return SessionFormat(
            SessionRecords(signing, encrypting, self.cipher),
            self.serializer,
            is_private=is_private,
            allowed=self.options["allow"],
            is_strict=self.mode == "strict",
            former_until=0.0 if self.mode == "strict" else self.options["legacy_until"],
        )

    def _cipher(self) -> CryptoProvider | None:
        check_nonce(self.options["encrypt_nonce_bits"])
        if not self.encrypt_keys:
            return None
        return cipher_for_records(self.options["crypto_type"])

    def _check(self) -> None:
        check_cookie(self.key, self.options)
        is_strict = self.mode == "strict"
        if is_strict and not (self.secrets or self.validate_keys):
            option = "validate_key" if self.in_cookie else "secret"
            raise MissingSecretError(option, "believe any session in strict mode")
        for option in ("secret", "encrypt_key", "validate_key"):
            check_secrets(option, secrets_in(self.options[option]), strict=is_strict)

    def _check_names(self, declared: Iterable[str] = ()) -> None:
        for unknown in unknown_options("session", self._named, declared):
            tell_program(unknown, strict=self.mode == "strict")


def settings_of(
    options: Mapping[str, Any], *, tells_names: bool = True
) -> SessionSettings:
    """Return the settings that these options mean, made once for equal options."""
    # With its type: 1 second is not True.
    named = tuple((name, type(value), _fixed(value)) for name, value in options.items())
    try:
        hash(named)
    except TypeError:
        return SessionSettings(options, tells_names=tells_names)
    return _shared_settings(named, tells_names)


@lru_cache(maxsize=64)
def _shared_settings(
    named: Iterable[tuple[str, type, Any]], tells_names: bool
) -> SessionSettings:
    options = {name: value for name, _, value in named}
    return SessionSettings(options, tells_names=tells_names)


def _fixed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
