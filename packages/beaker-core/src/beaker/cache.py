"""Caches, by name and in regions, and the decorators that put functions in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from beaker import container
from beaker._caching.decorators import decorated
from beaker._caching.faces import Decorator
from beaker._caching.freshness import CLOCK_SKEW
from beaker._caching.functions import CachedFunction, NamespaceFor, known_function
from beaker._caching.invalidation import (
    arguments_in,
    forget,
    forget_row,
    namespace_of,
)
from beaker._caching.regeneration import ValueStore
from beaker.configuration import coerce_cache_options, warn_unknown
from beaker.exceptions import (
    BeakerException,
    RegionNotConfiguredError,
    StoreRefusedError,
    StoreUnavailableError,
)
from beaker.keys import key_text
from beaker.listeners import listens, load_listeners
from beaker.options import number, optional, seconds
from beaker.plugins import Backends, backend_named
from beaker.stores import StoreOpener

__all__ = [
    "Cache",
    "CacheManager",
    "cache_managers",
    "cache_region",
    "cache_regions",
    "clsmap",
    "region_invalidate",
]

#: The options of each cache region, by its name.
cache_regions: dict[str, dict[str, Any]] = {}

#: The caches that were opened, by namespace and options; the latest of them.
cache_managers: dict[str, Cache] = {}

#: How many stay in `cache_managers`: a program may name one after each of its users.
MAX_OPEN = 2000

#: The backends by name; a program may put classes of its own here.
clsmap: Backends = Backends()

#: What is not given for one call, as the cache itself has it.
_OWN: Any = object()

#: What `clsmap` is made of; 1.x called it so.
_backends = Backends


def cache_region(
    region: str,
    *args: object,
    key: Callable[..., object] | None = None,
    **options: Any,
) -> Decorator:
    """Decorate a function so that its results are kept in a cache region.

    The region need not be configured yet: it is looked up at the first call.

    Args:
        region: The name of the region.
        args: What tells this function from another of the same name in its module;
            anything that `str` takes.
        key: Takes the arguments of a call and returns what tells it from others:
            anything that `str` takes, or a tuple of such parts. None: the arguments
            themselves do, without `self` or `cls`.
        options: Options that differ from the region's.

    Raises:
        InvalidOptionError: An option has a value that it does not take.
        RegionNotConfiguredError: At the first call, if nobody configured the region.
    """
    if callable(region):
        raise BeakerException(
            "cache_region is called with the name of a region: "
            "write @cache_region('short_term') above the function"
        )
    return _cache_decorate(args, None, options, region, key)


def region_invalidate(
    namespace: object, region: str | None, *args: object, **kwargs: object
) -> None:
    """Remove one result of a function that is decorated with a cache region.

    Args:
        namespace: The decorated function, or the name of its namespace.
        region: The name of the region; None if the function is given.
        args: What the decorator was given, then the arguments of the call, without
            `self` or `cls`.
        kwargs: The keyword arguments of the call.

    Raises:
        BeakerException: Neither a region nor a function of one is given.
        UndecoratedFunctionError: What is given was not decorated.
        RegionNotConfiguredError: Nobody configured the region.
    """
    region = region or getattr(namespace, "_arg_region", None)
    if not region:
        raise BeakerException("Region or callable function namespace is required")
    known = known_function(namespace)
    cache = known.cache() if known is not None and known.region == region else None
    if cache is None:
        options = _told(_region_options(region))
        cache = Cache._get_cache(namespace_of(namespace), options)  # noqa: SLF001
    forget(cache, known, args, kwargs, is_named=isinstance(namespace, str))


class Cache:
    """A cache: values by key in one namespace of one store.

    Args:
        namespace: The name that keeps its keys apart from those of other caches.
        type: The backend, by name.
        expiretime: The older name of `expire`.
        starttime: What was stored before this time, in seconds since the epoch, does
            not count; None: no such limit.
        expire: Seconds for which a value is fresh; None: for ever.
        nsargs: The other options, for the store among them.

    Raises:
        UnknownBackendError: No backend of that name is installed.
        InvalidOptionError: An option has a value that it does not take.

    Attributes:
        namespace: The namespace manager.
        values: What reads, expires and regenerates the values.
    """

    def __init__(
        self,
        namespace: str,
        type: str = "memory",
        expiretime: float | None = None,
        starttime: float | None = None,
        expire: float | None = None,
        **nsargs: Any,
    ) -> None:
        coerce_cache_options(nsargs)
        backend = "null" if nsargs.get("enabled") is False else type
        opener = StoreOpener(backend_named(backend, clsmap), nsargs, "cache")
        if not opener.is_legacy:
            warn_unknown("cache", nsargs, opener.backend.options, stacklevel=3)
        store = opener.open(key_text(namespace))
        self.namespace_name, self.namespace = namespace, store.manager
        lasts = expire if expiretime is None else expiretime
        self.expiretime = _expire("expire", lasts)
        self.starttime = _starttime("starttime", starttime)
        self.nsargs = nsargs
        self.values = ValueStore(
            store,
            container.now,
            # Who does not take stale values is served none after their expiry.
            grace=0 if nsargs.get("stale") is False else nsargs.get("grace"),
            acquire_timeout=nsargs.get("lock_timeout"),
            background=bool(nsargs.get("background")),
        )
        # A subclass written for 1.x makes the values itself: then it is asked.
        self._makes_values = self.__class__._get_value is not Cache._get_value  # noqa: SLF001

    @classmethod
    def _get_cache(cls, namespace: str, kw: Mapping[str, Any]) -> Cache:
        key = f"{namespace}{dict(kw)}"
        try:
            return cache_managers[key]
        except KeyError:
            surplus = len(cache_managers) - MAX_OPEN + 1
            for oldest in list(cache_managers)[: max(surplus, 0)]:
                cache_managers.pop(oldest, None)
            cache = cache_managers[key] = cls(namespace, **kw)
            return cache

    def get(
        self,
        key: str,
        *,
        createfunc: Callable[[], Any] | None = None,
        expiretime: float | None = _OWN,
        starttime: float | None = _OWN,
        **kw: Any,
    ) -> Any:
        """Return a value; make it if there is none that has not expired.

        Args:
            key: The key; what is no text counts by its `str()`.
            createfunc: Makes the value, without arguments; None: do not make one.
            expiretime: For this call, in place of the cache's own.
            starttime: The same.
            kw: Deprecated: options of a namespace, with ``type`` among them.

        Raises:
            KeyError: There is no current value and no `createfunc`.
        """
        if kw or self._makes_values:
            times = {"expiretime": expiretime, "starttime": starttime}
            kw.update({name: at for name, at in times.items() if at is not _OWN})
            # A subclass may have a function of its own where none is given.
            if createfunc is not None:
                kw["createfunc"] = createfunc
            return self._get_value(key, **kw).get_value()
        if key.__class__ is not str:
            key = key_text(key)
        if expiretime is _OWN:
            expiretime = self.expiretime
        else:
            expiretime = _expire("expiretime", expiretime)
        if starttime is _OWN:
            starttime = self.starttime
        values = self.values
        try:
            record = values.read(key)
        except (StoreUnavailableError, StoreRefusedError) as e:
            if createfunc is None:
                raise
            record = values.does_without(e)
        # Nearly every call ends here, so it goes no further for it.
        if (
            record is not None
            and starttime is None
            and record.stored - CLOCK_SKEW <= values.clock() < record.fresh_until
        ):
            if "value_read" in listens:
                values.tell_read(key, "hit")
            return record.value
        return values.resolve(key, record, createfunc, expiretime, starttime)

    get_value = get

    def put(self, key: str, value: Any, **kw: Any) -> None:
        """Store a value.

        Args:
            key: The key.
            value: The value.
            kw: For this call: `expiretime` in place of the cache's own.
        """
        if kw or self._makes_values:
            self._get_value(key, **kw).set_value(value)
        else:
            if key.__class__ is not str:
                key = key_text(key)
            self.values.put(key, value, self.expiretime)

    set_value = put

    def remove_value(self, key: str, **kw: Any) -> None:
        """Remove a value, whether it has expired or not."""
        self._get_value(key, **kw).clear_value()

    remove = remove_value

    def clear(self) -> None:
        """Remove all values of the namespace."""
        self.values.store.drop()

    def has_key(self, key: str) -> bool:
        """Return whether there is a value that has not expired."""
        return key in self

    def _get_value(self, key: str, **kw: Any) -> container.Value:
        if "type" in kw:
            return self._legacy_get_value(key, **kw)
        kw["expiretime"] = _expire("expiretime", kw.get("expiretime", self.expiretime))
        kw.setdefault("starttime", self.starttime)
        text = key_text(key)
        return container.Value(text, self.namespace, values=self.values, **kw)

    def _legacy_get_value(self, key: str, type: str, **kw: Any) -> container.Value:
        import warnings

        warnings.warn(
            "options of a namespace are given to the Cache, not to one call of it",
            DeprecationWarning,
            stacklevel=4,
        )
        own = {
            name: kw.pop(name)
            for name in ("expiretime", "createfunc", "starttime")
            if name in kw
        }
        own.setdefault("expiretime", self.expiretime)
        options = {**self.nsargs, **kw}
        cache = self.__class__(self.namespace_name, type=type, **options)
        return cache._get_value(key, **own)  # noqa: SLF001

    def __getitem__(self, key: str) -> Any:
        return self.get(key)

    def __contains__(self, key: str) -> bool:
        return self._get_value(key).has_current_value()

    def __setitem__(self, key: str, value: Any) -> None:
        self.put(key, value)

    def __delitem__(self, key: str) -> None:
        self.remove_value(key)


class CacheManager:
    """Opens caches with a common set of options, and decorates functions with them.

    Args:
        kwargs: Options by name, as `beaker.util.parse_cache_config_options` returns
            them; the regions in ``cache_regions``.

    Attributes:
        kwargs: The options.
        regions: The options of each region.
    """

    def __init__(self, **kwargs: Any) -> None:
        self.regions: dict[str, dict[str, Any]] = (
            kwargs.pop("cache_regions", None) or {}
        )
        self.kwargs = coerce_cache_options(kwargs)
        cache_regions.update(self.regions)
        load_listeners()

    def get_cache(self, name: str, **kwargs: Any) -> Cache:
        """Return the cache of a namespace.

        Args:
            name: The namespace.
            kwargs: Options that differ from the manager's.
        """
        return Cache._get_cache(name, {**self.kwargs, **kwargs})  # noqa: SLF001

    def get_cache_region(self, name: str, region: str, **kwargs: Any) -> Cache:
        """Return the cache of a namespace in a region.

        Args:
            name: The namespace.
            region: The name of the region.
            kwargs: Options for what the region does not set.

        Raises:
            RegionNotConfiguredError: Nobody configured the region.
        """
        options = self.regions.get(region) or _region_options(region)
        return Cache._get_cache(name, {**kwargs, **_told(options)})  # noqa: SLF001

    def region(
        self,
        region: str,
        *args: object,
        key: Callable[..., object] | None = None,
        **options: Any,
    ) -> Decorator:
        """Decorate a function as `cache_region` does."""
        return cache_region(region, *args, key=key, **options)

    def region_invalidate(
        self, namespace: object, region: str | None, *args: object, **kwargs: object
    ) -> None:
        """Remove one result of a function, as the function of this name does."""
        region_invalidate(namespace, region, *args, **kwargs)

    def cache(
        self,
        *args: object,
        key: Callable[..., object] | None = None,
        **kwargs: Any,
    ) -> Decorator:
        """Decorate a function so that its results are kept.

        Args:
            args: What tells this function from another of the same name in its
                module; anything that `str` takes.
            key: What tells calls apart, as in `cache_region`.
            kwargs: Options that differ from the manager's.

        Raises:
            InvalidOptionError: An option has a value that it does not take.
        """
        if len(args) == 1 and callable(args[0]):
            raise BeakerException("cache is called: write @cache.cache() with brackets")
        return _cache_decorate(args, self, kwargs, None, key)

    def invalidate(
        self, func: Callable[..., Any] | str, *args: object, **kwargs: Any
    ) -> None:
        """Remove one result of a function that is decorated with `cache`.

        Args:
            func: The decorated function, or the name of its namespace.
            args: What the decorator was given, then the arguments of the call,
                without `self` or `cls`.
            kwargs: The keyword arguments of the call. What is an option of caches is
                taken for the decorator's: it is needed only for a function that
                was decorated elsewhere.

        Raises:
            UndecoratedFunctionError: What is given was not decorated.
        """
        known = known_function(func)
        call = arguments_in(known, kwargs)
        cache = known.cache() if known is not None else None
        if cache is None:
            options = {key: kwargs[key] for key in kwargs.keys() - call.keys()}
            cache = self.get_cache(namespace_of(func), **options)
        forget(cache, known, args, call, is_named=isinstance(func, str))


def _cache_decorate(
    deco_args: Sequence[object],
    manager: CacheManager | None,
    options: Mapping[str, Any] | None,
    region: str | None,
    key: Callable[..., object] | None = None,
) -> Decorator:
    """Return the decorator for a region, or for a manager and options."""
    tags, own = tuple(deco_args), coerce_cache_options(dict(options or {}))

    def open_cache(namespace_for: NamespaceFor) -> Cache | None:
        if region is not None:
            chosen = {**_told(_region_options(region)), **_told(own)}
        elif manager is not None:
            chosen = {**manager.kwargs, **own}
        else:
            raise BeakerException("'manager + kwargs' or 'region' argument is required")
        if coerce_cache_options(chosen).get("enabled") is False:
            return None
        return Cache._get_cache(namespace_for(chosen), chosen)  # noqa: SLF001

    def decorate(function: Callable[..., Any]) -> Any:
        return decorated(CachedFunction(function, tags, open_cache, region, key))

    return decorate


#: What copies of the decorator of 1.x call.
_cache_decorator_invalidate = forget_row


def _region_options(region: str) -> dict[str, Any]:
    try:
        return cache_regions[region]
    except KeyError:
        raise RegionNotConfiguredError(region, cache_regions) from None


def _told(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


_optional_seconds = optional(seconds)
_starttime = optional(number)


def _expire(name: str, value: Any) -> Any:
    if value is None or (type(value) is int and value >= 0):
        return value
    return _optional_seconds(name, value)
