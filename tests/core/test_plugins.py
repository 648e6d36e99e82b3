"""Backends and ciphers that others publish: found by name, loaded on first use."""

from __future__ import annotations

import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import beaker.cache
from beaker.backends.memory import MemoryNamespaceManager
from beaker.cache import Cache, CacheManager
from beaker.container import NamespaceManager
from beaker.exceptions import (
    BackendVersionError,
    BeakerWarning,
    BrokenBackendError,
    InvalidCacheBackendError,
    InvalidCryptoBackendError,
    InvalidOptionError,
    MissingBackendError,
    UnknownBackendError,
)
from beaker.plugins import (
    Backends,
    backend_named,
    built_in_class,
    crypto_named,
    installed_backends,
)
from tests.core.wheels import Wheels

pytestmark = pytest.mark.usefixtures("own_registries")

GROUP = "beaker.backends"
STORE = """
from beaker.backends.memory import MemoryNamespaceManager

class Manager(MemoryNamespaceManager):
    made_by = {name!r}
"""


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wheels]:
    """What this test installs; nothing else is."""
    root = tmp_path / "wheels"
    root.mkdir()
    installer = Wheels(root, monkeypatch)
    installer.hide_all_others()
    yield installer
    installer.forget()


def install(wheels: Wheels, distribution: str, name: str, code: str = STORE) -> str:
    """Install a wheel with one backend; return the name of its module."""
    module = "in_" + distribution.replace("-", "_")
    wheels.install(
        distribution,
        points={GROUP: {name: f"{module}:Manager"}},
        modules={module: code.format(name=name)},
    )
    return module


# -- finding


def test_a_backend_is_found_by_the_name_it_registered(wheels: Wheels) -> None:
    install(wheels, "beaker-riak", "riak")

    cache = Cache("things", type="riak")
    cache["k"] = 1

    assert cache.namespace.made_by == "riak"  # type: ignore[attr-defined]
    assert cache["k"] == 1


def test_a_backend_is_found_with_or_without_ext(wheels: Wheels) -> None:
    install(wheels, "beaker-riak", "riak")
    install(wheels, "beaker-tyrant", "ext:tyrant")
    backends = Backends()

    assert backends["ext:riak"].made_by == "riak"
    assert backends["tyrant"].made_by == "ext:tyrant"
    assert backend_named("ext:memory", backends) is MemoryNamespaceManager


def test_asking_for_one_backend_imports_no_other(wheels: Wheels) -> None:
    wanted = install(wheels, "beaker-riak", "riak")
    install(wheels, "beaker-tyrant", "tyrant")

    assert Backends()["riak"].made_by == "riak"

    assert wheels.imported() == {wanted}


def test_listing_the_names_imports_nothing(wheels: Wheels) -> None:
    install(wheels, "beaker-riak", "riak")
    install(wheels, "beaker-broken", "broken", "1 / 0")

    names = set(installed_backends())

    assert names == {"riak", "broken", "memory", "file", "dbm", "sqlite", "null"}
    assert "riak" in Backends()
    assert "roak" not in Backends()
    assert wheels.imported() == set()


@pytest.mark.parametrize("first", ["redis", "ext:redis"])
def test_two_spellings_that_two_wheels_own_are_two_backends(
    wheels: Wheels, first: str
) -> None:
    install(wheels, "beaker-redis", "ext:redis")
    install(wheels, "beaker-foreign", "redis")
    backends = Backends()
    assert backends[first].made_by == first

    assert backends["redis"].made_by == "redis"
    assert backends["ext:redis"].made_by == "ext:redis"


def test_of_two_wheels_that_claim_a_name_the_first_wins_with_a_warning(
    wheels: Wheels,
) -> None:
    install(wheels, "beaker-later", "riak", STORE + "    place_of = 'later'")
    install(wheels, "beaker-first", "riak", STORE + "    place_of = 'first'")

    with pytest.warns(BeakerWarning, match="beaker-first 1.0 and by beaker-later 1.0"):
        found = Backends()["riak"]

    assert found.place_of == "first"


def test_a_wheel_that_is_found_twice_is_no_rival_of_itself(
    wheels: Wheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(wheels, "beaker-riak", "riak")
    link = Path(sys.path[0]).with_name("link")
    link.symlink_to(sys.path[0])
    monkeypatch.syspath_prepend(link)

    assert Backends()["riak"].made_by == "riak"


# -- what cannot be used


def test_a_slip_is_told_with_what_was_probably_meant(wheels: Wheels) -> None:
    install(wheels, "beaker-riak", "ext:riak")

    with pytest.raises(UnknownBackendError) as caught:
        Cache("things", type="ext:raik")

    assert str(caught.value) == (
        "no backend named 'ext:raik'; did you mean 'ext:riak'? "
        "installed: dbm, ext:riak, file, memory, null, sqlite"
    )
    assert isinstance(caught.value, TypeError | KeyError)
    assert isinstance(caught.value, ImportError)


def test_a_cache_in_cookies_is_told_what_cookies_are_for() -> None:
    with pytest.raises(UnknownBackendError, match="only the session of a request"):
        Cache("things", type="cookie")


def test_a_name_like_no_other_is_told_with_what_is_installed(wheels: Wheels) -> None:
    assert wheels.imported() == set()

    with pytest.raises(UnknownBackendError, match=r"'xyzzy'; installed: dbm, file, "):
        Cache("things", type="xyzzy")


@pytest.mark.parametrize(
    ("asked", "spelling", "wheel"),
    [
        ("ext:redis", "ext:redis", "beaker-redis"),
        ("redis", "ext:redis", "beaker-redis"),
        ("ext:rediscluster", "ext:rediscluster", "beaker-redis"),
        ("mongodb", "ext:mongodb", "beaker-mongodb"),
        ("ext:memcached", "ext:memcached", "beaker-memcached"),
        ("ext:database", "ext:database", "beaker-sqla"),
        ("ext:sqla", "ext:sqla", "beaker-sqla"),
        ("ext:google", "ext:google", "beaker-google"),
    ],
)
def test_a_backend_of_ours_that_is_missing_is_told_with_the_command(
    wheels: Wheels, asked: str, spelling: str, wheel: str
) -> None:
    assert wheels.imported() == set()

    with pytest.raises(MissingBackendError) as caught:
        Cache("things", type=asked)

    assert str(caught.value) == (
        f"{spelling} ships separately since Beaker 2.0; "
        f"install it with: pip install '{wheel}>=2'"
    )
    assert isinstance(caught.value, InvalidCacheBackendError)


def test_a_slip_of_a_backend_of_ours_is_told_though_it_is_missing(
    wheels: Wheels,
) -> None:
    assert wheels.imported() == set()

    with pytest.raises(UnknownBackendError, match="did you mean 'ext:redis'"):
        Cache("things", type="ext:reddis")


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import no_such_client", "No module named 'no_such_client'"),
        ("def broken(:", "invalid syntax"),
        ("1 / 0", "division by zero"),
        ("Other = 1", "no attribute 'Manager'"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_named_with_the_cause(
    wheels: Wheels, code: str, cause: str
) -> None:
    install(wheels, "beaker-riak", "riak", code)

    with pytest.raises(BrokenBackendError) as caught:
        Cache("things", type="riak")

    assert str(caught.value).startswith(
        "backend 'riak' (in_beaker_riak:Manager, from beaker-riak 1.0) cannot be loaded: "
    )
    assert cause in str(caught.value)
    assert isinstance(caught.value, InvalidCacheBackendError)
    assert caught.value.__cause__ is caught.value.cause


@pytest.mark.parametrize(
    ("code", "command"),
    [
        ("import riak_client", "pip install 'beaker-riak==1.0'"),
        ("import riak_client.http", "pip install 'beaker-riak==1.0'"),
        # What it lacks of itself no command brings, nor a part of what is installed.
        ("import pluggy.no_such_part", None),
        ("import in_beaker_riak.part", None),
        ("1 / 0", None),
    ],
)
def test_a_library_that_a_plugin_lacks_is_told_with_the_command(
    wheels: Wheels, code: str, command: str | None
) -> None:
    install(wheels, "beaker-riak", "riak", code)

    with pytest.raises(BrokenBackendError) as caught:
        Cache("things", type="riak")

    _, told, remedy = str(caught.value).partition("; install what it needs with: ")
    assert (remedy if told else None) == command


def test_a_plugin_may_say_itself_what_it_misses(wheels: Wheels) -> None:
    code = (
        "from beaker.exceptions import InvalidCacheBackendError\n"
        "raise InvalidCacheBackendError('riak needs its library')"
    )
    install(wheels, "beaker-riak", "riak", code)

    with pytest.raises(InvalidCacheBackendError, match=r"^riak needs its library$"):
        Cache("things", type="riak")


def test_a_plugin_for_a_newer_core_is_refused_with_both_numbers(
    wheels: Wheels,
) -> None:
    install(wheels, "beaker-riak", "riak", STORE + "    api = 3")

    with pytest.raises(
        BackendVersionError, match=r"'riak' asks for plugin api 3, .* offers 2"
    ):
        Cache("things", type="riak")


def test_a_cipher_is_no_backend(wheels: Wheels) -> None:
    install(wheels, "beaker-cipher", "crypto:rot13", "class Manager: ...")

    with pytest.raises(UnknownBackendError, match="'crypto:rot13'"):
        Cache("things", type="crypto:rot13")
    with pytest.raises(UnknownBackendError, match="no backend named"):
        Cache("things", type="crypto:cryptography")


@pytest.mark.parametrize("name", [None, 5, b"memory"])
def test_what_is_no_name_is_told_by_the_option(name: Any) -> None:
    with pytest.raises(InvalidOptionError, match="'type' takes the name of a backend"):
        backend_named(name, Backends())


# -- what the program registers itself


class Own(MemoryNamespaceManager):
    """A backend of the program's own."""


def test_a_program_may_register_a_class(wheels: Wheels) -> None:
    install(wheels, "beaker-riak", "riak")

    beaker.cache.clsmap["ext:riak"] = Own

    assert type(Cache("things", type="ext:riak").namespace) is Own
    assert type(Cache("things", type="riak").namespace) is Own
    assert wheels.imported() == set()


def test_a_program_may_replace_a_built_in_class() -> None:
    beaker.cache.clsmap["memory"] = Own

    assert type(Cache("things").namespace) is Own


def test_a_program_may_rebind_the_registry() -> None:
    beaker.cache.clsmap = {"own": Own}  # type: ignore[assignment]

    assert type(Cache("things", type="own").namespace) is Own
    assert type(Cache("things", type="memory").namespace) is MemoryNamespaceManager
    with pytest.raises(UnknownBackendError, match="did you mean 'own'"):
        Cache("things", type="oown")


def test_a_program_may_give_a_class_in_place_of_a_name() -> None:
    assert type(Cache("things", type=Own).namespace) is Own  # type: ignore[arg-type]


def test_an_exception_in_the_registry_is_raised_when_it_is_asked_for() -> None:
    error = InvalidCacheBackendError("own needs its library")
    beaker.cache.clsmap["own"] = error

    depths = []
    for _ in range(3):
        with pytest.raises(InvalidCacheBackendError) as caught:
            CacheManager(type="own").get_cache("things")
        assert caught.value is error
        depths.append(len(traceback.extract_tb(error.__traceback__)))

    assert depths[0] == depths[2]


def test_the_former_name_of_the_registry_class_makes_one() -> None:
    assert beaker.cache._backends({"own": Own})["own"] is Own


@pytest.mark.parametrize(
    "name", ["MemoryNamespaceManager", "FileNamespaceManager", "DBMNamespaceManager"]
)
def test_built_in_stores_are_found_by_the_name_of_their_class(name: str) -> None:
    found = built_in_class(name)

    assert found.__name__ == name
    assert issubclass(found, NamespaceManager)
    assert built_in_class("RedisNamespaceManager") is None


# -- ciphers

CIPHER = """
class Manager:
    has_aes = {has_aes}
    priority = {priority}
"""


def install_cipher(
    wheels: Wheels, name: str, *, priority: int = 1, has_aes: bool = True
) -> str:
    """Install a wheel with one cipher; return the name of its module."""
    code = CIPHER.format(priority=priority, has_aes=has_aes)
    return install(wheels, f"cipher-{name}", f"crypto:{name}", code)


def test_the_default_is_the_usable_cipher_of_the_highest_priority(
    wheels: Wheels,
) -> None:
    install_cipher(wheels, "weak", priority=1)
    install_cipher(wheels, "strong", priority=5)
    install_cipher(wheels, "none", priority=9, has_aes=False)

    assert crypto_named("default").priority == 5  # type: ignore[attr-defined]


def test_asking_for_one_cipher_imports_no_other(wheels: Wheels) -> None:
    wanted = install_cipher(wheels, "weak")
    install_cipher(wheels, "strong")

    crypto_named("weak")

    assert wheels.imported() == {wanted}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("default", "no cipher is installed; install one with: pip install 'beaker-cr"),
        ("cryptography", "'cryptography' is not installed; install it with: pip "),
        ("pycryptodome", "pip install 'beaker-crypto[pycryptodome]>=2'"),
        ("pycrypto", "pip install 'beaker-crypto[pycryptodome]>=2'"),
        ("cryptografy", "no cipher named 'cryptografy'; did you mean 'cryptography'"),
        ("rot13", "no cipher named 'rot13'; installed: none"),
    ],
)
def test_a_cipher_that_is_missing_is_told_with_what_to_do(
    wheels: Wheels, name: str, said: str
) -> None:
    assert wheels.imported() == set()

    with pytest.raises(InvalidCryptoBackendError, match=re.escape(said)):
        crypto_named(name)


def test_finding_what_is_installed_warns_of_nothing(wheels: Wheels) -> None:
    install(wheels, "beaker-riak", "riak")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Backends()["riak"].made_by == "riak"
