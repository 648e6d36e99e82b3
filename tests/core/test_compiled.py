"""The wrapper that is compiled for a function answers as the general one does."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import beaker.cache
from beaker.backends.memory import MemoryNamespaceManager
from beaker.cache import Cache, CacheManager
from beaker.exceptions import StoreRefusedError
from beaker.testing._clock import Clock

pytestmark = pytest.mark.usefixtures("own_registries")

#: Texts of which keys are easily confused.
TEXTS = st.text(" \\-:#ab", max_size=6)


@pytest.fixture
def manager() -> CacheManager:
    """A manager of caches in memory."""
    return CacheManager(type="memory", expire=60)


def compiles(function: Any) -> bool:
    """Return whether a wrapper was written for this function."""
    return "<cache of " in function.__code__.co_filename


def has_escapes(tag: object) -> bool:
    """Return whether a tag is written in a key in another way."""
    return bool({" ", "\\"} & set(str(tag)))


def kept(function: Any) -> dict[str, Any]:
    """Return the values that are kept of a function, by their keys."""
    cache: Cache = function._cached_function.opened
    values: dict[str, Any] = cache.namespace.dictionary  # type: ignore[attr-defined]
    return {key: record.value for key, record in values.items()}


@pytest.mark.usefixtures("manager")
@given(
    tags=st.lists(TEXTS | st.integers(), max_size=2),
    calls=st.lists(st.tuples(TEXTS, TEXTS | st.integers()), max_size=8),
)
def test_each_call_has_the_key_that_the_general_wrapper_gives_it(
    tags: list[Any], calls: list[tuple[Any, Any]]
) -> None:
    @CacheManager(type="memory").cache(*tags)
    def load(a: Any, b: Any) -> Any:
        return [a, b]

    load.invalidate_all()  # type: ignore[attr-defined]
    key_of_call = load._cached_function.key_of_call  # type: ignore[attr-defined]

    answers = [load(*call) for call in [*calls, *calls]]

    assert compiles(load) == all(str(tag) and not has_escapes(tag) for tag in tags)
    assert [list(map(str, got)) for got in answers] == [
        list(map(str, call)) for call in [*calls, *calls]
    ]
    assert kept(load).keys() == {key_of_call(call, {}) for call in calls}


@given(tags=st.lists(TEXTS, max_size=2), texts=st.lists(TEXTS, max_size=8))
def test_one_argument_has_the_key_that_the_general_wrapper_gives_it(
    tags: list[str], texts: list[str]
) -> None:
    @CacheManager(type="memory").cache(*tags)
    def load(a: str) -> str:
        return a

    load.invalidate_all()
    key_of_call = load._cached_function.key_of_call  # type: ignore[attr-defined]

    assert [load(text) for text in texts + texts] == texts + texts
    assert kept(load) == {key_of_call((text,), {}): text for text in texts}


def test_a_key_that_is_too_long_is_shortened(manager: CacheManager) -> None:
    @manager.cache()
    def load(a: str, b: str) -> list[str]:
        return [a, b]

    load("a", "b")

    assert load("x" * 200, "b") is load("x" * 200, "b")
    assert sorted(map(len, kept(load))) == [len("a b"), len("\\#") + 64]


def test_arguments_may_be_named_in_the_call(manager: CacheManager) -> None:
    @manager.cache()
    def load(a: int, b: int) -> list[int]:
        return [a, b]

    assert load(1, 2) is load(1, b=2) is load(b=2, a=1)


def test_a_method_is_called_with_its_object(manager: CacheManager) -> None:
    class Shop:
        @manager.cache()
        def price(self, article: str) -> list[object]:
            return [self, article]

    one, other = Shop(), Shop()

    assert one.price("tea") == [one, "tea"]
    assert other.price("tea") == [one, "tea"]
    assert list(kept(Shop.price)) == ["tea"]


def test_a_parameter_may_be_called_as_anything_in_the_wrapper(
    manager: CacheManager,
) -> None:
    @manager.cache()
    def load(cached: int, _beaker_key: int) -> list[int]:
        return [cached, _beaker_key]

    @manager.cache()
    def other(cached: int, own: int) -> list[int]:
        return [cached, own]

    assert load(1, 2) is load(1, _beaker_key=2) == [1, 2]
    assert other(1, 2) is other(cached=1, own=2) == [1, 2]


def test_who_calls_it_wrongly_is_told_so_by_the_functions_name(
    manager: CacheManager,
) -> None:
    @manager.cache()
    def load(term: str) -> str:
        return term

    with pytest.raises(TypeError, match=r"\bload\(\) missing 1 required .*'term'"):
        load()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"\bload\(\) got an unexpected .* 'word'"):
        load(word="x")  # type: ignore[call-arg]


def test_a_traceback_names_the_function(manager: CacheManager) -> None:
    @manager.cache()
    def divide(by: int) -> float:
        return 1 / by

    with pytest.raises(ZeroDivisionError) as caught:
        divide(0)

    files = [frame.filename for frame in traceback.extract_tb(caught.tb)]
    assert f"<cache of {divide.__qualname__}>" in files


@pytest.mark.parametrize(
    "options", [{"typed": True}, {"legacy_keys": True}, {"key": lambda a, b: (b, a)}]
)
def test_where_keys_are_made_otherwise_they_stay_so(
    manager: CacheManager, options: dict[str, Any]
) -> None:
    @manager.cache(**options)
    def load(a: object, b: object) -> list[object]:
        return [a, b]

    first = load(1, "2")

    assert load(1, "2") is first
    assert "1 2" not in kept(load) or "legacy_keys" in options
    assert list(kept(load)) == [load._cached_function.key_of_call((1, "2"), {})]  # type: ignore[attr-defined]


def test_parameters_that_may_be_left_out_have_no_wrapper_of_their_own(
    manager: CacheManager,
) -> None:
    @manager.cache()
    def with_default(a: int, b: int = 2) -> list[int]:
        return [a, b]

    @manager.cache()
    def positional(a: int, /) -> list[int]:
        return [a]

    @manager.cache()
    def any_number(*many: int) -> list[int]:
        return [*many]

    assert not any(map(compiles, (with_default, positional, any_number)))
    assert with_default(1) is with_default(1, 2)
    assert (positional(1), any_number(1, 2)) == ([1], [1, 2])


def test_a_value_expires_and_a_starttime_counts(
    manager: CacheManager, clock: Clock
) -> None:
    made: list[int] = []

    @manager.cache(stale=False)
    def load(a: int) -> int:
        made.append(a)
        return len(made)

    assert (load(1), load(1)) == (1, 1)
    clock.advance(61)
    assert (load(1), load(1)) == (2, 2)
    load._cached_function.opened.starttime = clock.now + 1  # type: ignore[attr-defined]
    assert load(1) == 3


def test_a_value_from_the_future_counts_from_now_on(
    manager: CacheManager, clock: Clock
) -> None:
    @manager.cache(stale=False)
    def load(a: int) -> list[int]:
        return [a]

    clock.advance(3600)
    ahead = load(1)
    clock.advance(-3600)

    assert load(1) is ahead
    clock.advance(61)
    assert load(1) is not ahead


class Closed(MemoryNamespaceManager):
    """A store from which nothing can be read."""

    def fetch(self, key: str) -> Any:
        """Refuse."""
        raise StoreRefusedError("closed", f"{key} cannot be read", "open it")


def test_a_store_that_refuses_to_be_read_is_done_without() -> None:
    beaker.cache.clsmap["closed"] = Closed

    @CacheManager(type="closed").cache()
    def load(a: int) -> list[int]:
        return [a]

    assert (load(1), load(1)) == ([1], [1])
