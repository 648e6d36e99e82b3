"""A cache or an application that is ready to be timed, and where the servers are."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from works import DATA

__all__ = ["BATCH", "MEMCACHED", "REDIS", "Ask", "Opened", "Requests", "use"]

REDIS = os.environ.get("BENCHMARK_REDIS", "")
MEMCACHED = os.environ.get("BENCHMARK_MEMCACHED", "")

#: Requests in one call, so that what begins an event loop does not count.
BATCH = 20

#: Does a number of requests with a cookie and returns the cookie that was set last.
Ask = Callable[[str, int], "str | None"]


class Opened(NamedTuple):
    """A cache that is ready.

    Attributes:
        get: Returns the value of a key that is there.
        set: Stores a value under a key.
        create: Returns the value of a key, made by a function if it is not there;
            None where the library has no such call.
        decorate: Returns a function that caches what another returns.
        fill: Stores many values by key, as fast as the library can.
    """

    get: Callable[[str], Any]
    set: Callable[[str, Any], Any]
    create: Callable[[str, Callable[[], Any]], Any] | None = None
    decorate: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None
    fill: Callable[[dict[str, Any]], None] | None = None


class Requests(NamedTuple):
    """What answers requests.

    Attributes:
        ask: Returns what does requests of an act: "none", "seed", "untouched",
            "read", "read quietly" or "write".
    """

    ask: Callable[[str], Ask]

    def ready(self, act: str) -> tuple[Callable[[], Any], Callable[[], Any]]:
        """Return `BATCH` requests with a session, and as many without."""
        cookie = self.ask("seed")("", 1)
        if cookie is None:
            message = "no session was begun"
            raise RuntimeError(message)
        cookie = (self.ask("write")(cookie, 1) or cookie).partition(";")[0]
        with_one, without = self.ask(act), self.ask("none")
        return partial(with_one, cookie, BATCH), partial(without, cookie, BATCH)


def use(act: str, session: Any) -> None:
    """Do with a session what the work says."""
    if act.startswith("read") and session["user_id"] != DATA["user_id"]:
        message = "the session was not read"
        raise RuntimeError(message)
    if act == "write":
        session["count"] = session.get("count", 0) + 1
    elif act == "seed":
        for key, value in DATA.items():
            session[key] = value
