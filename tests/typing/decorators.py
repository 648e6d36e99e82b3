"""What a type checker sees of decorated functions: their own types, and helpers.

Nothing here runs. mypy and pyright read it, in the session ``types``; a call that is
wrong carries a comment, which mypy reports once the call passes unnoticed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import assert_type

from beaker.cache import CacheManager, cache_region

manager = CacheManager(type="memory")


@cache_region("short_term")
def load(term: str, limit: int = 10, *, exact: bool = False) -> list[str]:
    return [term] * limit if exact else []


@manager.cache("things", expire=60)
def price(country: str) -> float:
    return float(len(country))


@manager.region("short_term", "variant")
async def fetch(url: str) -> bytes:
    return url.encode()


class Shop:
    @cache_region("short_term")
    def stock(self, article: int) -> int:
        return article

    @classmethod
    @cache_region("short_term")
    def named(cls, name: str) -> str:
        return name


assert_type(load("term", 5, exact=True), list[str])
assert_type(price("pt"), float)
assert_type(Shop().stock(1), int)
assert_type(Shop.named("shop"), str)

assert_type(load.refresh("term", 5), list[str])
assert_type(load.uncached("term", exact=True), list[str])
assert_type(Shop().stock.refresh(1), int)
assert_type(Shop.stock(Shop(), 1), int)
load.invalidate("term", limit=5)
Shop().stock.invalidate(1)
Shop().stock.invalidate_all()


async def refreshed() -> None:
    assert_type(await fetch.refresh("/"), bytes)


as_annotated: Callable[[str], float] = price
awaited: Callable[[str], Awaitable[bytes]] = fetch

load(5)  # type: ignore[arg-type]  # the first is a text
load("term", most=5)  # type: ignore[call-arg]  # there is no such parameter
price()  # type: ignore[call-arg]  # the country is missing
Shop().stock("one")  # type: ignore[arg-type]  # the article is a number
load.refresh(5)  # type: ignore[arg-type]  # the first is a text
Shop().stock.uncached("one")  # type: ignore[arg-type]  # the article is a number
wrong: str = price("pt")  # type: ignore[assignment]  # it returns a number
