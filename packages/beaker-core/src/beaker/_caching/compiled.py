"""The shortest way to a fresh value, written for the parameters of one function.

A call of a decorated function that finds its value costs less than half as much if
nothing is packed and unpacked on the way. So for functions that simply take some
arguments a wrapper with the same parameters is written out and compiled, as the
standard library does for the methods of data classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from beaker import container
from beaker._caching.freshness import CLOCK_SKEW
from beaker._caching.functions import CachedFunction
from beaker.exceptions import StoreRefusedError, StoreUnavailableError
from beaker.listeners import listens

__all__ = ["compiled"]

#: What the wrapper's own names begin with, for parameters may have any other.
_OWN = "_beaker_"

# A text with as many spaces as there are between its parts has none within one: it is
# the key, unless all of it is the tags. What else there may be is for the general wrapper.
_SOURCE = """\
def cached({parameters}):
    _beaker_key = f"{row}"
    if (
        not {least} < len(_beaker_key) <= _beaker_function.room
        or _beaker_key.count(" ") != {spaces}
        or "\\\\" in _beaker_key
    ):
        return _beaker_general({parameters})
    _beaker_cache = _beaker_function.opened
    _beaker_values = _beaker_cache.values
    try:
        _beaker_record = _beaker_values.read(_beaker_key)
    except _beaker_away as _beaker_error:
        _beaker_record = _beaker_values.does_without(_beaker_error)
    if _beaker_record is not None and _beaker_cache.starttime is None:
        _beaker_now = _beaker_container.time.time()
        if (
            _beaker_record.stored - _beaker_skew
            <= _beaker_now
            < _beaker_record.fresh_until
        ):
            if "value_read" in _beaker_listens:
                _beaker_values.tell_read(_beaker_key, "hit")
            return _beaker_record.value
    return _beaker_resolve(_beaker_cache, _beaker_key, _beaker_record, ({arguments}), {{}})
"""

#: What all wrappers know.
_KNOWN = {
    "_beaker_away": (StoreUnavailableError, StoreRefusedError),
    "_beaker_container": container,
    "_beaker_skew": CLOCK_SKEW,
    "_beaker_listens": listens,
}


def compiled(
    own: CachedFunction, general: Callable[..., Any], resolve: Callable[..., Any]
) -> Callable[..., Any]:
    """Return the wrapper with the function's own parameters, if it takes just those.

    Args:
        own: The function; its `room` tells whether its keys are made so.
        general: The wrapper that takes any call.
        resolve: Takes the cache, the key, its record, which is not fresh, and the
            arguments of the call; returns the value.

    Returns:
        The general one where the parameters are not simply so many names.
    """
    names = own.keys.simple_names
    if not names or any(name.startswith(_OWN) for name in names):
        return general
    counted = names[own.keys.skips_first :]
    lead = own.keys.lead
    row = " ".join(f"{{{name}!s}}" for name in counted)
    source = _SOURCE.format(
        parameters=", ".join(names),
        arguments="".join(f"{name}, " for name in names),
        row=f"{{{_OWN}lead}}{row}" if lead else row,
        least=len(lead),
        spaces=len(counted) - 1 + lead.count(" "),
    )
    known: dict[str, Any] = {
        **_KNOWN,
        "_beaker_function": own,
        "_beaker_lead": lead,
        "_beaker_general": general,
        "_beaker_resolve": resolve,
    }
    # As a traceback shows it.
    place = f"<cache of {getattr(own.function, '__qualname__', 'a function')}>"
    code = compile(source, place, "exec")
    exec(code, known)  # noqa: S102  # ours, but for names that are Python's own
    written: Callable[..., Any] = known["cached"]
    return written
