"""Programs of 1.x that inherit from sessions, or put their own in their place."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from http.cookies import BaseCookie
from typing import Any, ClassVar

import pytest

import beaker.session
from beaker.exceptions import CorruptRecordError, InvalidOptionError
from beaker.session import (
    CookieSession,
    InvalidSignature,
    Session,
    SessionObject,
    SignedCookie,
    _ConfigurableSession,
    _session_id,
)
from tests.core.sessions import KEY, Visit, again, contents, sent, setting, stored

Options = dict[str, Any]


class TextSession(Session):
    """Writes JSON of its own, as text."""

    def _encrypt_data(self, session_data: Any = None) -> str:
        return "own:" + json.dumps(session_data or self.copy())

    def _decrypt_data(self, session_data: Any) -> Any:
        assert session_data.startswith("own:")
        return json.loads(session_data[4:])


class TextCookieSession(CookieSession):
    """The same in a cookie."""

    def _encrypt_data(self, session_data: Any = None) -> str:
        return b64encode(json.dumps(session_data or self.copy()).encode()).decode()

    def _decrypt_data(self, session_data: Any) -> Any:
        return json.loads(b64decode(session_data))


class ReversingSerializer:
    """A serializer of a program."""

    def dumps(self, value: Any) -> bytes:
        """Return bytes."""
        return json.dumps(value).encode()[::-1]

    def loads(self, data: bytes) -> Any:
        """Return the value."""
        return json.loads(bytes(data)[::-1])


class OwnSerializerSession(Session):
    """Chooses its serializer itself."""

    def _set_serializer(self, data_serializer: Any) -> None:
        self.data_serializer = data_serializer
        self.serializer = ReversingSerializer()


class SelfLoadingCookieSession(CookieSession):
    """Loads by itself, calling no constructor but that of the innermost class."""

    def __init__(
        self,
        request: Options,
        key: str = "beaker.session.id",
        token: str = "",
        **keywords: Any,
    ) -> None:
        _ConfigurableSession.__init__(self, cookie_domain=None, cookie_path="/")
        self.clear()
        self.request, self.key, self.token = request, key, token
        self.timeout, self.save_atime = None, True
        self.cookie_expires, self.secure = True, False
        self.httponly, self.samesite = True, "Lax"
        self.invalidate_corrupt = keywords.get("invalidate_corrupt", False)
        self.request["set_cookie"] = False
        ours = SignedCookie("x", request.get("cookie") or "").get(key)
        cookies: Any = BaseCookie({key: ours.coded_value} if ours else None)
        self.cookie = cookies
        self["_id"] = _session_id()
        self.is_new = True
        if key in self.cookie:
            self.is_new = False
            try:
                self.update(self._decrypt_data(self.cookie[key].value))
            except ValueError:
                if not self.invalidate_corrupt:
                    raise
                self.invalidate()
            self.accessed_dict = self.copy()
            self._create_cookie()

    def _encrypt_data(self, session_data: Any = None) -> str:
        data = json.dumps(session_data or self.copy()).encode()
        return self.token + data.hex()

    def _decrypt_data(self, session_data: Any) -> Any:
        if not session_data.startswith(self.token):
            raise ValueError("another token")
        return json.loads(bytes.fromhex(session_data[len(self.token) :]))


def test_a_subclass_writes_its_own_bytes(store: Options) -> None:
    def found(id: str) -> TextSession:
        return TextSession({}, id, use_cookies=False, **store)

    session = TextSession({}, use_cookies=False, **store)
    session["n"] = 1
    session.save()
    one, other = found(session.id), found(session.id)
    one["a"], other["b"] = 1, 2
    one.save()
    other.save()

    assert contents(found(session.id)) == {"n": 1, "a": 1, "b": 2}


def test_a_session_of_a_subclass_is_found_by_its_id(store: Options) -> None:
    session = SessionObject({}, session_class=TextSession, **store)
    session["n"] = 1
    session.save()
    session.persist()

    found = SessionObject({}, session_class=TextSession, **store).get_by_id(session.id)

    assert isinstance(found, TextSession)
    assert found["n"] == 1


def test_what_a_subclass_cannot_read_is_corrupt(store: Options) -> None:
    session = stored(store, n=1)

    with pytest.raises(CorruptRecordError):
        TextSession({}, session.id, use_cookies=False, **store)


def test_a_subclass_chooses_its_serializer(store: Options) -> None:
    session = OwnSerializerSession({}, use_cookies=False, **store)
    session["n"] = [1]
    session.save()

    found = OwnSerializerSession({}, session.id, use_cookies=False, **store)

    assert contents(found) == {"n": [1]}


def test_a_serializer_of_the_program(store: Options) -> None:
    options = {**store, "data_serializer": ReversingSerializer()}
    session = stored(options, n=[1, "two"])

    assert contents(again(options, session.id)) == {"n": [1, "two"]}


def test_a_cookie_subclass_writes_its_own_payload_and_is_signed() -> None:
    options = {"session_class": TextCookieSession, "validate_key": "v" * 20}
    visit = Visit(**options)
    visit.request(setting(n=1))

    assert visit.read(contents) == "{'n': 1}"
    payload = visit.browser.cookies[KEY][40:]
    assert json.loads(b64decode(payload))["n"] == 1

    visit.browser.cookies[KEY] = "0" * 40 + payload
    assert visit.read(contents) == "{}"


def test_a_cookie_subclass_may_load_by_itself() -> None:
    visit = Visit(session_class=SelfLoadingCookieSession, token="abc")
    visit.request(setting(n=1))
    assert visit.browser.cookies[KEY].startswith("abc")

    def mutate(session: Any) -> None:
        session["n"] = 2

    visit.request(mutate)

    assert visit.read(contents) == "{'n': 1}"
    visit.request(setting(n=3))
    assert visit.read(contents) == "{'n': 3}"
    visit.browser.cookies[KEY] = "xyz"
    assert visit.read(contents) == "{}"


@pytest.mark.parametrize("wrong", [dict, SessionObject])
def test_a_session_class_must_be_a_session(wrong: type) -> None:
    visit = Visit(session_class=wrong)

    with pytest.raises(InvalidOptionError, match="session_class"):
        visit.request(contents)


def test_a_class_put_in_the_place_of_ours_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Patched(Session):
        def __init__(self, request: Options, **options: Any) -> None:
            super().__init__(request, **options)
            self["patched"] = True

    monkeypatch.setattr(beaker.session, "Session", Patched)

    assert Visit(type="memory").read(contents) == "{'patched': True}"


class SavingSessionObject(SessionObject):
    """Saves with each change, as the one of a framework does."""

    options: ClassVar[Options] = {"type": "memory", "key": KEY}

    def __init__(self, environ: Options) -> None:
        SessionObject.__init__(self, environ, **self.options)

    @property
    def new(self) -> bool:
        """Whether the session was not found."""
        return bool(self.last_accessed is None)

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.save()


def test_a_framework_may_inherit_from_the_session_object() -> None:
    session = SavingSessionObject({})

    session["n"] = 1
    session.persist()

    headers = session.__dict__["_headers"]
    assert (session.new, headers["set_cookie"]) == (True, True)
    later = SavingSessionObject({"HTTP_COOKIE": headers["cookie_out"].split(";")[0]})
    assert (later.new, later["n"]) == (False, 1)


def test_a_framework_may_make_sessions_without_cookies() -> None:
    options: Options = {"type": "memory", "timeout": 60, "key": "unused"}
    session = Session({}, "chosen-id", use_cookies=False, **options)
    session["n"] = 1
    session.save()

    assert Session({}, "chosen-id", use_cookies=False, **options)["n"] == 1
    assert session.request == {}


def test_signed_cookies_are_those_of_1() -> None:
    cookies = SignedCookie("secret", "a=b")
    value, signed = cookies.value_encode("text")

    assert (value, signed[40:]) == ("text", "text")
    assert cookies.value_decode(signed) == ("text", signed)
    assert cookies.value_decode(f'"{signed}"')[0] == "text"
    assert cookies.value_decode("0" + signed[1:])[0] is InvalidSignature
    assert cookies.value_decode("")[0] is None
    assert not InvalidSignature
    assert sent({"cookie_out": f"a={signed}; Path=/"}) == f"a={signed}"
