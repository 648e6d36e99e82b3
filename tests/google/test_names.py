from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from beaker_google.names import Names

#: Few letters, so that collisions would be found: those of our own names.
texts = st.text(alphabet="01.:/#cs_\0\ud800", max_size=12) | st.just("1" * 600)
purposes = st.sampled_from(["cache", "session"])
keys = st.tuples(purposes, texts, texts, texts)
spaces = st.tuples(texts, texts)


def name_of(purpose: str, prefix: str, namespace: str, key: str) -> str:
    return Names(namespace, prefix, purpose).name(key)


@given(keys, keys)
def test_different_keys_have_different_names(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    assert (name_of(*one) == name_of(*other)) == (one == other)


@given(keys)
def test_a_name_is_one_that_datastore_takes(key: tuple[str, str, str, str]) -> None:
    name = name_of(*key)

    assert 0 < len(name.encode()) <= 1500
    assert not name.startswith("__")


@given(spaces, spaces, texts)
def test_an_entity_is_listed_in_its_own_namespace_alone(
    mine: tuple[str, str], theirs: tuple[str, str], key: str
) -> None:
    prefix, namespace = mine
    place = Names(namespace, prefix, "cache").place(key, "r12.5").encode()
    prefix, namespace = theirs
    start, end = Names(namespace, prefix, "cache").places()

    # Datastore compares the bytes, of which it indexes so many.
    assert (start.encode() <= place < end.encode()) == (mine == theirs)
    assert len(place) <= 1500


@given(texts, texts, texts | st.text(max_size=20))
def test_a_key_is_read_back_from_its_entity(
    prefix: str, namespace: str, key: str
) -> None:
    names = Names(namespace, prefix, "cache")
    told, spelt = names.untold(key), names.spelt(names.name(key))

    assert (names.key(told) if told is not None else spelt) == key
    assert (told is None) == (spelt is not None)


@given(texts, texts, texts)
def test_no_change_of_state_moves_an_entity_past_another(
    namespace: str, one: str, other: str
) -> None:
    names = Names(namespace, "", "cache")
    states = ["l", "l1.5", "r", "r1764170000.123456", "r9"]
    places = sorted(
        (names.place(key, state), key) for key in {one, other} for state in states
    )

    assert [key for _, key in places] in (
        [one] * 5 + [other] * 5,
        [other] * 5 + [one] * 5,
        [one] * 5,
    )


@given(texts, texts, purposes, st.tuples(texts, texts))
def test_a_session_is_known_by_its_prefix(
    prefix: str, namespace: str, purpose: str, mine: tuple[str, str]
) -> None:
    names = Names(namespace, prefix, purpose)
    name, untold = names.name("session"), names.untold("session") or b""
    other, my_prefix = mine
    ours = Names(other, my_prefix, "session").is_session_of_ours(name, untold)

    assert ours == (purpose == "session" and prefix == my_prefix)
