"""The caches that are compared, each opened through its documented interface."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from floors import limit_of_caches
from opened import MEMCACHED, REDIS, Opened
from works import TTL

__all__ = ["CACHES", "OURS", "django_caches"]

#: Whatever Beaker is installed in the environment; the others are its peers.
OURS = "Beaker"


def beaker(store: str, place: Path) -> Opened:
    """Open a cache of Beaker, of either release: the options are the same."""
    from beaker.cache import CacheManager
    from beaker.util import parse_cache_config_options

    kinds = {"redis": "ext:redis", "memcached": "ext:memcached", "sql": "ext:database"}
    urls = {"redis": REDIS, "memcached": MEMCACHED, "sql": f"sqlite:///{place}/sql.db"}
    options = {"cache.type": kinds.get(store, store), "cache.data_dir": str(place)}
    if store in urls:
        options["cache.url"] = urls[store]
    manager = CacheManager(**parse_cache_config_options(options))
    opened = manager.get_cache("benchmark", expire=TTL)

    def fill(values: dict[str, Any]) -> None:
        # In 1.x each put rewrites the whole namespace, but for those under one lock.
        opened.namespace.acquire_write_lock()
        try:
            for key, value in values.items():
                opened.put(key, value)
        finally:
            opened.namespace.release_write_lock()

    return Opened(
        opened.get,
        opened.put,
        lambda key, make: opened.get(key, createfunc=make),
        manager.cache(expire=TTL),
        fill,
    )


def cachetools(_store: str, _place: Path) -> Opened:
    """Open a dictionary with expiry under a lock, as cachetools recommends."""
    import cachetools as library

    kept: Any = library.TTLCache(10**6, TTL)
    lock = threading.RLock()

    def get(key: str) -> Any:
        with lock:
            return kept[key]

    def put(key: str, value: Any) -> None:
        with lock:
            kept[key] = value

    @library.cached(kept, key=lambda key, _: key, condition=threading.Condition())
    def create(_: str, make: Callable[[], Any]) -> Any:
        return make()

    few: Any = library.TTLCache(1024, TTL)
    return Opened(get, put, create, library.cached(few, lock=threading.RLock()))


def dogpile(store: str, _place: Path) -> Opened:
    """Open a region of dogpile.cache, with its lock at the server if there is one."""
    from dogpile.cache import make_region

    backends = {"redis": "redis", "memcached": "pymemcache", "memory": "memory"}
    arguments: dict[str, Any] = {
        "redis": {"url": REDIS, "distributed_lock": True, "thread_local_lock": False},
        "memcached": {"url": MEMCACHED, "distributed_lock": True},
    }.get(store, {})
    region = make_region(key_mangler=lambda key: f"dogpile.{key}").configure(
        f"dogpile.cache.{backends[store]}", expiration_time=TTL, arguments=arguments
    )
    create = region.get_or_create
    return Opened(region.get, region.set, create, region.cache_on_arguments())


def diskcache(_store: str, place: Path) -> Opened:
    """Open a cache of diskcache."""
    import diskcache as library

    opened = library.Cache(str(place))
    return Opened(opened.get, partial(opened.set, expire=TTL))


def django_caches(place: Path) -> Any:
    """Return the caches of Django, which is configured once in a process."""
    from django.conf import settings

    if not settings.configured:
        _configure_django(settings, place)
    from django.core.cache import caches

    return caches


def _configure_django(settings: Any, place: Path) -> None:
    import django
    from django.core.management import call_command

    backends = {
        "default": ("locmem.LocMemCache", "benchmark"),
        "file": ("filebased.FileBasedCache", str(place / "file")),
        "redis": ("redis.RedisCache", REDIS),
        "memcached": ("memcached.PyMemcacheCache", MEMCACHED),
        "sql": ("db.DatabaseCache", "benchmark_cache"),
    }
    # These two are bounded by their servers.
    bounded = ("redis", "memcached")
    settings.configure(
        CACHES={
            name: {
                "BACKEND": f"django.core.cache.backends.{backend}",
                "LOCATION": location,
                "TIMEOUT": TTL,
                "OPTIONS": {} if name in bounded else {"MAX_ENTRIES": 10**7},
            }
            for name, (backend, location) in backends.items()
        },
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(place / "django.db"),
            }
        },
        INSTALLED_APPS=["django.contrib.sessions"],
        SESSION_FILE_PATH=str(place),
        SECRET_KEY="k" * 50,
    )
    django.setup()
    call_command("createcachetable", verbosity=0)
    call_command("migrate", verbosity=0)


def django(store: str, place: Path) -> Opened:
    """Open a cache of Django."""
    opened = django_caches(place)["default" if store == "memory" else store]
    return Opened(opened.get, opened.set, opened.get_or_set)


#: Who is compared on which store.
CACHES: dict[str, dict[str, Callable[[str, Path], Opened]]] = {
    "memory": {
        OURS: beaker,
        "cachetools": cachetools,
        "dogpile": dogpile,
        "Django": django,
        "limit": limit_of_caches,
    },
    "file": {
        OURS: beaker,
        "diskcache": diskcache,
        "Django": django,
        "limit": limit_of_caches,
    },
    "sqlite": {OURS: beaker, "diskcache": diskcache, "limit": limit_of_caches},
    "redis": {
        OURS: beaker,
        "dogpile": dogpile,
        "Django": django,
        "limit": limit_of_caches,
    },
    "memcached": {
        OURS: beaker,
        "dogpile": dogpile,
        "Django": django,
        "limit": limit_of_caches,
    },
    "sql": {OURS: beaker, "Django": django},
}
