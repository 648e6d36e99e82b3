from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from beaker.exceptions import InvalidCacheBackendError, MissingBackendError

FORWARDED = {
    "database": ("beaker_sqla", "DatabaseContainer DatabaseNamespaceManager"),
    "google": ("beaker_google", "GoogleContainer GoogleNamespaceManager"),
    "memcached": (
        "beaker_memcached",
        """MAX_KEY_LENGTH MemcachedContainer MemcachedNamespaceManager
        PyLibMCNamespaceManager _load_client""",
    ),
    "mongodb": ("beaker_mongodb", "MongoNamespaceManager MongoSynchronizer"),
    "redisclusternm": (
        "beaker_redis",
        "RedisClusterNamespaceManager RedisClusterSynchronizer",
    ),
    "redisnm": ("beaker_redis", "RedisNamespaceManager RedisSynchronizer"),
    "sqla": ("beaker_sqla", "SqlaContainer SqlaNamespaceManager make_cache_table"),
}


@pytest.fixture(params=sorted(FORWARDED))
def forwarding(request: pytest.FixtureRequest) -> Iterator[str]:
    path, package = f"beaker.ext.{request.param}", import_module("beaker.ext")
    before = sys.modules.pop(path, None)
    yield request.param
    sys.modules.pop(path, None)
    # Whoever imports it from its package finds it there, and not in sys.modules.
    vars(package).pop(request.param, None)
    if before is not None:
        sys.modules[path] = before
        setattr(package, request.param, before)


def test_an_old_path_leads_to_the_plugin(
    forwarding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, names = FORWARDED[forwarding]
    plugin = ModuleType(package)
    for name in names.split():
        setattr(plugin, name, object())
    monkeypatch.setitem(sys.modules, package, plugin)

    module = import_module(f"beaker.ext.{forwarding}")

    assert sorted(module.__all__) == sorted(names.split())
    assert all(getattr(module, name) is getattr(plugin, name) for name in names.split())


def test_a_plugin_that_is_not_installed_is_named_with_the_command(
    forwarding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, _ = FORWARDED[forwarding]
    hide(monkeypatch, package)

    with pytest.raises(MissingBackendError) as caught:
        import_module(f"beaker.ext.{forwarding}")

    assert isinstance(caught.value, InvalidCacheBackendError | ImportError)
    assert str(caught.value) == (
        f"beaker.ext.{forwarding} ships separately since Beaker 2.0; "
        f"install it with: pip install '{package.replace('_', '-')}>=2'"
    )


def test_what_the_plugins_own_client_lacks_is_passed_on(
    forwarding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, _ = FORWARDED[forwarding]
    hide(monkeypatch, package, missing="a_driver")

    with pytest.raises(ModuleNotFoundError) as caught:
        import_module(f"beaker.ext.{forwarding}")

    assert caught.value.name == "a_driver"


def hide(
    monkeypatch: pytest.MonkeyPatch, package: str, missing: str | None = None
) -> None:
    class Finder:
        def find_spec(self, name: str, *_: Any) -> None:
            if name == package:
                raise ModuleNotFoundError(name=missing or package)

    for name in list(sys.modules):
        if name.partition(".")[0] == package:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
