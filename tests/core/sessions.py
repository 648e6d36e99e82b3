"""What the tests of sessions share: a browser, an application, a cipher, samples."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable
from http.cookies import SimpleCookie
from typing import Any

from beaker.backends.memory import MemoryNamespaceManager
from beaker.middleware import SessionMiddleware
from beaker.session import CookieSession, Session, SessionObject
from beaker.signing import former_signature

#: The cookie's name in these tests.
KEY = "sid"

Act = Callable[[Any], object]
Options = dict[str, Any]


class Response:
    """What an application answered."""

    def __init__(self, status: str, headers: list[tuple[str, str]], body: str) -> None:
        self.status, self.headers, self.body = status, headers, body

    def all(self, name: str) -> list[str]:
        """Return the values of all headers of this name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def cookie(self) -> str:
        """The one Set-Cookie header, or nothing."""
        cookies = self.all("Set-Cookie")
        assert len(cookies) <= 1
        return cookies[0] if cookies else ""


class Browser:
    """Sends requests to an application, with the cookies it was sent before."""

    def __init__(self, application: Any, **environ: Any) -> None:
        self.application, self.environ = application, environ
        self.cookies: dict[str, str] = {}

    def get(self, path: str = "/", **environ: Any) -> Response:
        """Send a request and keep what cookies come back."""
        header = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        request = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "HTTP_COOKIE": header,
            "wsgi.url_scheme": "http",
            **self.environ,
            **environ,
        }
        started: list[Any] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: Any = None
        ) -> None:
            started[:] = [status, headers, exc_info]

        body = b"".join(self.application(request, start_response))
        response = Response(started[0], started[1], body.decode())
        for cookie in response.all("Set-Cookie"):
            self._keep(cookie)
        return response

    def sharing_cookies(self) -> Browser:
        """Return a second window of the same browser, as it is now."""
        other = Browser(self.application, **self.environ)
        other.cookies = dict(self.cookies)
        return other

    def _keep(self, cookie: str) -> None:
        for name, morsel in SimpleCookie(cookie).items():
            if "1970" in morsel["expires"]:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.coded_value


class Application:
    """Runs what a test wants done to the session, and answers with its outcome."""

    def __init__(self) -> None:
        self.act: Act = lambda _session: None
        self.status = "200 OK"

    def __call__(self, environ: Options, start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        outcome = self.act(environ["beaker.session"])
        start_response(self.status, [("Content-Type", "text/plain")])
        return [str(outcome).encode()]


class Visit:
    """An application behind the middleware, and a browser that visits it."""

    def __init__(self, **options: Any) -> None:
        self.application = Application()
        wrapped = SessionMiddleware(self.application, **{"key": KEY, **options})
        self.browser = Browser(wrapped)

    def request(
        self, act: Act, browser: Browser | None = None, **environ: Any
    ) -> Response:
        """Do this to the session in one request."""
        self.application.act = act
        return (browser or self.browser).get(**environ)

    def read(self, act: Act, browser: Browser | None = None) -> str:
        """Return what this makes of the session in one request."""
        return self.request(act, browser).body


def setting(**values: Any) -> Act:
    """Return what sets keys and saves."""

    def act(session: Any) -> None:
        for key, value in values.items():
            session[key] = value
        session.save()

    return act


def contents(session: Any) -> dict[str, Any]:
    """Return what a program put into a session."""
    return {key: session[key] for key in session if not key.startswith("_")}


def stored(options: Options, **values: Any) -> Session:
    """Return a session by a new id of our own with these values in it."""
    session = Session({}, **{"use_cookies": False, **options})
    session.update(values)
    session.save()
    return session


def again(options: Options, id: str) -> Session:
    """Return the session of this id as another request finds it."""
    return Session({}, id, **{"use_cookies": False, **options})


def sent(request: Options) -> str:
    """Return the Cookie header that a browser answers with."""
    cookie: str = request["cookie_out"]
    return cookie.partition(";")[0]


def cookie_session(cookie: str = "", **options: Any) -> CookieSession:
    """Return the session in a Cookie header."""
    given = {"key": KEY, "validate_key": "validate" * 4, **options}
    return CookieSession({"cookie": cookie}, **given)


def in_request(cookie: str = "", **options: Any) -> SessionObject:
    """Return what stands for the session of a request with this Cookie header."""
    return SessionObject({"HTTP_COOKIE": cookie}, **{"key": KEY, **options})


class SharedMemory(MemoryNamespaceManager):
    """A store of bytes that others can write, as a server is."""

    holds_objects = False
    shared_between_hosts = True


class ToyCipher:
    """A cipher of the standard library alone, with the interface of 1.x.

    It encrypts by a stream of hashes: good enough to see that nothing is plain.
    """

    has_aes = True

    def getKeyLength(self) -> int:  # noqa: N802 - as 1.x called it
        """Return the length of a key."""
        return 32

    def aesEncrypt(self, data: bytes, key: bytes) -> bytes:  # noqa: N802 - likewise
        """Encrypt."""
        stream = b"".join(
            hashlib.sha256(key + block.to_bytes(8, "big")).digest()
            for block in range(len(data) // 32 + 1)
        )
        return bytes(a ^ b for a, b in zip(data, stream, strict=False))

    def aesDecrypt(self, data: bytes, key: bytes) -> bytes:  # noqa: N802 - likewise
        """Decrypt."""
        return self.aesEncrypt(data, key)


class ToySeal(ToyCipher):
    """The same with the interface of 2.x."""

    def seal(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        """Encrypt and authenticate."""
        nonce = os.urandom(16)
        sealed = nonce + self.aesEncrypt(data, _checked(key) + nonce)
        return sealed + self.mac(key, sealed, associated)

    def open(self, key: bytes, data: bytes, associated: bytes) -> bytes:
        """Return what was sealed."""
        sealed, mac = data[:-32], data[-32:]
        if not hmac.compare_digest(self.mac(_checked(key), sealed, associated), mac):
            raise ValueError("another key")
        return self.aesDecrypt(sealed[16:], key + sealed[:16])

    def mac(self, key: bytes, sealed: bytes, associated: bytes) -> bytes:
        """Return what proves both."""
        length = len(associated).to_bytes(8, "big")
        return hmac.digest(key, length + associated + sealed, "sha256")


def _checked(key: bytes) -> bytes:
    if len(key) != 32:
        raise ValueError(f"a key of {len(key)} bytes")
    return key


#: What Beaker 1.14.1 wrote at 1700000000.25 for the id 0123456789abcdef, twice.
FORMER_ID = "0123456789abcdef" * 2
FORMER_TIME = 1700000000.25

#: {'user': 'ann', 'n': [1, 2], 'raw': b'\x00\xff', 'day': date(2020, 1, 2)}
FORMER_PAYLOAD = (
    "gAJ9cQAoWAcAAABfZG9tYWlucQFOWAUAAABfcGF0aHECWAEAAAAvcQNYDgAAAF9jcmVhdGlvbl90aW1l"
    "cQRHQdlU/EAQAABYDgAAAF9hY2Nlc3NlZF90aW1lcQVHQdlU/EAQAABYBAAAAHVzZXJxBlgDAAAAYW5u"
    "cQdYAQAAAG5xCF1xCShLAUsCZVgDAAAAcmF3cQpjX2NvZGVjcwplbmNvZGUKcQtYAwAAAADDv3EMWAYA"
    "AABsYXRpbjFxDYZxDlJxD1gDAAAAZGF5cRBjZGF0ZXRpbWUKZGF0ZQpxEWgLWAUAAAAHw6QBAnESaA2G"
    "cRNScRSFcRVScRZ1Lg=="
)

#: The same signed with the validate_key "vvvvvvvvvvvvvvvvvvvv", as a cookie.
FORMER_COOKIE = (
    "4f7050b267933c53ae8b8717b01b41c5473b3a8agAJ9cQAoWAcAAABfZG9tYWlucQFOWAUAAABfcGF0"
    "aHECWAEAAAAvcQNYAwAAAF9pZHEEWCAAAAAwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZnEF"
    "WAQAAAB1c2VycQZYAwAAAGFubnEHWAEAAABucQhdcQkoSwFLAmVYAwAAAHJhd3EKY19jb2RlY3MKZW5j"
    "b2RlCnELWAMAAAAAw79xDFgGAAAAbGF0aW4xcQ2GcQ5ScQ9YAwAAAGRheXEQY2RhdGV0aW1lCmRhdGUK"
    "cRFoC1gFAAAAB8OkAQJxEmgNhnETUnEUhXEVUnEWWA4AAABfY3JlYXRpb25fdGltZXEXR0HZVPxAEAAA"
    "WA4AAABfYWNjZXNzZWRfdGltZXEYR0HZVPxAEAAAdS4="
)

#: {'user': 'ann', 'n': [1, 2]} with data_serializer=json, as such a cookie.
FORMER_JSON_COOKIE = (
    "9ff179cb8c79f46bf5d7cb5deee44c86a07ca784eJyrVopPyc9NzMxTslLIK83J0VFQii9ILMkAcpX0"
    "lUC8zBQQ28DQyNjE1MzcwjIxKTklNQ2dD1JaWpxaBFKbmJcH4oKMjDbUUTCKBRmTXJSaWJKZnxdfkpmb"
    "CpQxNDeAAj0jU5CCxOTk1OLi1BSsCmoBVZQt0Q=="
)

#: The id signed with the secret "ssssssssssssssssssss".
FORMER_ID_COOKIE = "a99712efe5a3056406a9fcee0c3a69ea88a2c880" + FORMER_ID

#: A secret that nobody guesses: the strict mode takes no other.
STRONG = "9f2c41d07be84a6ba3d5e0c1"


def signed_anew(former: str) -> str:
    """Return what Beaker 1.14.1 signed as it would be signed with the strong secret."""
    return former_signature(STRONG.encode(), former[40:]) + former[40:]
