"""No cookie is accepted that we did not issue, however little it differs from one."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_letters, digits

import pytest

from beaker._sessions.cookieheaders import cookie_values
from beaker.backends.memory import MemoryNamespaceManager
from tests.core.sessions import KEY
from tests.fuzz.cookies import FORMS, accepted
from tests.fuzz.effort import efforts
from tests.fuzz.mutation import Mutator

#: Cookies that mutations begin with, of as many visitors.
VISITORS = 12


@pytest.fixture(autouse=True)
def empty_memory() -> Iterator[None]:
    """The sessions of one test alone."""
    MemoryNamespaceManager.namespaces.clear()
    yield
    MemoryNamespaceManager.namespaces.clear()


@pytest.mark.parametrize("form", FORMS)
@efforts(300, 62_500)
def test_no_mutated_cookie_is_accepted(form: str, rounds: int) -> None:
    writes, reads, issue = FORMS[form]
    issued = {issue(writes, f"visitor {n}") for n in range(VISITORS)}
    mutate = Mutator(seed=len(form), issued=sorted(issued, key=len))
    tried = 0

    while tried < rounds:
        value = mutate()
        # A browser's quotes and spaces are not part of what it sends back.
        if issued.isdisjoint(cookie_values(f"{KEY}={value}", KEY)):
            assert not accepted(value, reads), value
            tried += 1

    assert all(accepted(value, reads) for value in issued)


@pytest.mark.parametrize("form", FORMS)
def test_no_cookie_that_was_cut_off_is_accepted(form: str) -> None:
    writes, reads, issue = FORMS[form]
    value = issue(writes, "ann")

    for length in range(len(value)):
        assert not accepted(value[:length], reads)
        assert not accepted(value[length + 1 :], reads)


@pytest.mark.parametrize("form", FORMS)
def test_a_cookie_is_spelt_in_one_way(form: str) -> None:
    writes, reads, issue = FORMS[form]
    # Of every length, so that the last digit has some bits to spare, or none.
    for user in ("a", "ab", "abc", "abcd"):
        value = issue(writes, user)
        last = value[-1]
        others = set(ascii_letters + digits + "-_+/=") - {last}
        spellings = {value[:-1] + other for other in others}
        padded = {value + "=", value + "==", value.upper(), value.lower()}
        other_digits = {value.replace("-", "+"), value.replace("_", "/")}

        for spelling in (spellings | padded | other_digits) - {value}:
            assert not accepted(spelling, reads), spelling
