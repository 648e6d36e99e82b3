"""Sessions with `encrypt_key`, in each kind of place and with each cipher."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable
from configparser import ConfigParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from beaker.exceptions import CorruptRecordError, InvalidCryptoBackendError
from beaker.middleware import SessionMiddleware
from beaker.session import Session
from tests.core.sessions import STRONG

README = Path(__file__).parents[2] / "packages" / "beaker-crypto" / "README.md"
NAMES = ["default", "cryptography", "pycryptodome", "pycrypto"]
PLACES = ["memory", "file", "sqlite", "cookie"]


class Browser:
    """Visits an application, and keeps its cookie."""

    def __init__(self, app: SessionMiddleware, cookie: str = "") -> None:
        self._app, self.cookie = app, cookie

    def get(self, **kept: str) -> dict[str, str]:
        """Have the application keep something, and return all that it keeps."""
        environ = {"QUERY_STRING": urlencode(kept), "HTTP_COOKIE": self.cookie}
        shown = b"".join(self._app(environ, self._start))
        return dict(parse_qsl(shown.decode()))

    def _start(
        self, status: str, headers: list[tuple[str, str]], failure: object = None
    ) -> None:
        assert (status, failure) == ("200 OK", None)
        for name, value in headers:
            if name == "Set-Cookie":
                self.cookie = value.partition(";")[0]


Visit = Callable[..., Browser]

with_each_cipher = pytest.mark.parametrize("crypto_type", NAMES)
in_each_place = pytest.mark.parametrize("place", PLACES)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Keep what the query says, and answer with all that is kept."""
    session = environ["beaker.session"]
    kept = dict(parse_qsl(environ["QUERY_STRING"]))
    if kept:
        session.update(kept)
        session.save()
    shown = {name: value for name, value in session.items() if name[0] != "_"}
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [urlencode(shown).encode()]


def files_in(directory: Path) -> list[Path]:
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert files
    return files


@pytest.fixture
def visit(tmp_path: Path) -> Visit:
    """A browser before an application with encrypted sessions."""

    def visited(place: str, cookie: str = "", **options: Any) -> Browser:
        keys = {"encrypt_key": "the key", "secret": "s1", "validate_key": "s2"}
        where = {"type": place, "data_dir": str(tmp_path / "data")}
        return Browser(
            SessionMiddleware(application, **{**where, **keys, **options}), cookie
        )

    return visited


@in_each_place
@with_each_cipher
def test_an_encrypted_session_lasts(visit: Visit, place: str, crypto_type: str) -> None:
    browser = visit(place, crypto_type=crypto_type)

    browser.get(name="Ann")

    assert browser.get() == {"name": "Ann"}


@with_each_cipher
@pytest.mark.parametrize("place", ["file", "sqlite"])
def test_nobody_reads_it_in_the_store(
    visit: Visit, place: str, crypto_type: str, tmp_path: Path
) -> None:
    visit(place, crypto_type=crypto_type).get(name="Ann of Lisbon")

    assert not any(b"Lisbon" in path.read_bytes() for path in files_in(tmp_path))


@with_each_cipher
def test_nobody_reads_it_in_the_cookie(visit: Visit, crypto_type: str) -> None:
    browser = visit("cookie", crypto_type=crypto_type)

    browser.get(name="Ann of Lisbon")

    cookie = browser.cookie.partition("=")[2]
    assert b"Lisbon" not in urlsafe_b64decode(cookie + "===")


@pytest.mark.parametrize("place", ["file", "sqlite", "cookie"])
@pytest.mark.parametrize("reader", NAMES)
@with_each_cipher
def test_what_one_library_wrote_the_other_goes_on_with(
    visit: Visit, place: str, crypto_type: str, reader: str
) -> None:
    before = visit(place, crypto_type=crypto_type)
    before.get(name="Ann")

    after = visit(place, before.cookie, crypto_type=reader)

    assert after.get(city="Lisbon") == {"name": "Ann", "city": "Lisbon"}


@pytest.mark.parametrize("place", ["file", "cookie"])
def test_with_another_key_it_cannot_be_read(visit: Visit, place: str) -> None:
    before = visit(place)
    before.get(name="Ann")

    after = visit(place, before.cookie, encrypt_key="another")

    assert after.get() == {}


@pytest.mark.parametrize("place", ["file", "sqlite", "cookie"])
def test_using_it_moves_it_from_the_old_key_to_the_new_one(
    visit: Visit, place: str
) -> None:
    before = visit(place, encrypt_key="old")
    before.get(name="Ann")

    between = visit(place, before.cookie, encrypt_key=["new", "old"])
    between.get()
    after = visit(place, between.cookie, encrypt_key="new")

    assert after.get() == {"name": "Ann"}


def test_the_configuration_in_the_readme_encrypts(tmp_path: Path) -> None:
    (block, *_) = re.findall(r"(?ms)^```ini\n(.*?)^```$", README.read_text())
    config = ConfigParser()
    config.read_string("[app]\n" + block.replace("/var/lib/shop", str(tmp_path)))

    Browser(SessionMiddleware(application, dict(config["app"]))).get(name="Lisbon")

    assert not any(b"Lisbon" in path.read_bytes() for path in files_in(tmp_path))


def test_a_changed_byte_in_the_store_is_noticed(visit: Visit, tmp_path: Path) -> None:
    browser = visit("file")
    browser.get(name="Ann")
    (record,) = (tmp_path / "data").rglob("*.cache")

    data = bytearray(record.read_bytes())
    data[-1] ^= 1
    record.write_bytes(data)

    assert browser.get() == {}


def test_a_changed_character_in_the_cookie_is_noticed(visit: Visit) -> None:
    browser = visit("cookie")
    browser.get(name="Ann")

    cookie = browser.cookie
    browser.cookie = cookie[:-8] + ("B" if cookie[-8] == "A" else "A") + cookie[-7:]

    assert browser.get() == {}


@pytest.mark.parametrize("mode", ["migrate", "strict"])
def test_a_session_that_is_not_encrypted_is_refused(tmp_path: Path, mode: str) -> None:
    place: dict[str, Any] = {"id": "job", "type": "file", "data_dir": str(tmp_path)}
    planted = Session({}, use_cookies=False, **place)
    planted["name"] = "Mallory"
    planted.save()

    keys: dict[str, Any] = {"encrypt_key": STRONG, "secret": STRONG[::-1]}
    with pytest.raises(CorruptRecordError):
        Session({}, use_cookies=False, mode=mode, **keys, **place)


@pytest.mark.parametrize("name", ["nss", "jcrypto", "unheard-of"])
def test_a_program_does_not_start_with_a_cipher_that_is_not_there(
    visit: Visit, name: str
) -> None:
    with pytest.raises(InvalidCryptoBackendError, match=name):
        visit("memory", crypto_type=name)


@pytest.mark.parametrize(("key", "is_plain"), [(None, True), (STRONG, False)])
def test_memory_keeps_a_session_encrypted_too(key: str | None, is_plain: bool) -> None:
    """So that it is in no dump of the memory; without a key it is kept as it is."""
    session = Session({}, type="memory", encrypt_key=key, validate_key=key)
    session["word"] = "plain to see"
    session.save()

    kept = repr(session.namespace.fetch("session"))

    assert ("plain to see" in kept) is is_plain
