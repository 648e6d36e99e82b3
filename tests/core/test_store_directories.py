"""What the stores on disk do with the directory that they are given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from beaker.exceptions import MissingCacheParameter
from beaker.testing._observing import HOSTILE

from .local_stores import KINDS, Open, opener


@pytest.fixture(params=list(KINDS))
def open_namespace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    with opener(request.param, tmp_path / "data") as open_namespace:
        yield open_namespace


@pytest.mark.parametrize("purpose", ["cache", "session"])
def test_no_name_leads_out_of_it(
    open_namespace: Open, tmp_path: Path, purpose: str
) -> None:
    for name in {name for pair in HOSTILE for name in pair}:
        open_namespace(name, purpose=purpose).store("session", b"data", None)

    assert {path.name for path in tmp_path.iterdir()} == {"data"}


def test_the_place_names_the_store_and_its_directory(
    open_namespace: Open, tmp_path: Path
) -> None:
    place = open_namespace().place()

    assert place.split(" at ")[0] in KINDS
    assert str(tmp_path / "data") in place


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_directory_the_error_says_which_option_to_set(kind: str) -> None:
    with pytest.raises(MissingCacheParameter, match=f"{kind!r}.* option 'data_dir'"):
        KINDS[kind]("namespace")
