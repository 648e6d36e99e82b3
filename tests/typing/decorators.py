"""What a type checker sees of decorated functions: nothing but their own types.

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

as_annotated: Callable[[str], float] = price
awaited: Callable[[str], Awaitable[bytes]] = fetch

load(5)  # type: ignore[arg-type]  # the first is a text
load("term", most=5)  # type: ignore[call-arg]  # there is no such parameter
price()  # type: ignore[call-arg]  # the country is missing
Shop().stock("one")  # type: ignore[arg-type]  # the article is a number
wrong: str = price("pt")  # type: ignore[assignment]  # it returns a number
