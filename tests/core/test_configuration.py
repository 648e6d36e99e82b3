from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from beaker.cache import Cache
from beaker.configuration import (
    CACHE_OPTIONS,
    SESSION_OPTIONS,
    cache_options,
    session_options,
    warn_unknown,
)
from beaker.exceptions import BeakerWarning, InvalidOptionError, UnknownOptionError
from beaker.session import Session


def session(**given: Any) -> dict[str, Any]:
    return session_options({f"session.{name}": given[name] for name in given}, {})


def test_options_are_taken_with_either_prefix_and_from_keywords() -> None:
    config = {"session.key": "sid", "beaker.session.auto": "true", "cache.type": "dbm"}

    options = session_options(config, {"session.secret": "s", "httponly": "yes"})

    assert options["key"] == "sid"
    assert options["auto"] is True
    assert options["secret"] == "s"
    assert options["httponly"] is True
    assert options["type"] is None


def test_keywords_win_over_the_configuration() -> None:
    options = session_options({"session.key": "theirs"}, {"key": "mine"})

    assert options["key"] == "mine"


def test_an_underscore_of_1x_is_read_as_the_dot() -> None:
    config = {"session_secret": "s", "session_key": "old", "session.key": "new"}

    with pytest.warns(DeprecationWarning, match=r"'session_\w+' is read as 'session\."):
        options = session_options(config, {"session_timeout": "300"})

    assert (options["secret"], options["key"], options["timeout"]) == ("s", "new", 300)
    assert not {"session_secret", "session_key", "session_timeout"} & options.keys()


def test_the_underscore_of_a_name_that_has_one_is_its_own() -> None:
    class OfTheProgram(Session):
        pass

    options = session_options(None, {"session_class": OfTheProgram})

    assert options["session_class"] is OfTheProgram


def test_without_any_prefix_all_options_count() -> None:
    options = session_options({"type": "file", "data_dir": "sessions"}, {})

    assert (options["type"], options["data_dir"]) == ("file", "sessions")


def test_without_any_prefix_other_components_options_do_not_count() -> None:
    config = {"here": ".", "__file__": "x.ini", "sqlalchemy.url": "sqlite://"}

    options = session_options(config, {})

    assert not {"here", "__file__", "sqlalchemy.url"} & options.keys()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        (False, False),
        (None, False),
        ("300", timedelta(seconds=300)),
        (300, timedelta(seconds=300)),
        (timedelta(days=1), timedelta(days=1)),
        (datetime(2040, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)),
    ],
)
def test_cookie_expires_takes_all_its_forms(written: Any, meant: Any) -> None:
    assert session(cookie_expires=written)["cookie_expires"] == meant


@pytest.mark.parametrize(
    ("written", "meant"), [("auto", "auto"), (None, "auto"), ("no", False), (1, True)]
)
def test_secure_is_a_truth_or_auto(written: Any, meant: Any) -> None:
    assert session(secure=written)["secure"] == meant


@pytest.mark.parametrize(
    ("written", "meant"), [("strict", "Strict"), ("None", "None"), (None, None)]
)
def test_samesite_tells_the_word_none_from_no_attribute(
    written: Any, meant: Any
) -> None:
    assert session(samesite=written)["samesite"] == meant


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", ""),
        ("key", "  "),
        ("secret", ""),
        ("data_dir", ""),
        ("timeout", "soon"),
        ("timeout", -5),
        ("namespace_args", "abc"),
        ("auto", "perhaps"),
        ("secure", "sometimes"),
        ("samesite", "loose"),
        ("mode", "lenient"),
        ("cookie_expires", "never"),
        ("data_serializer", "yaml"),
        ("data_serializer", 5),
        ("session_class", "a.name"),
        ("legacy_until", "someday"),
        ("store_timeout", "fast"),
    ],
)
def test_a_wrong_value_is_refused_with_the_options_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidOptionError, match=f"option '{name}' takes "):
        session(**{name: value})


@pytest.mark.parametrize("value", ["abc", "-1", [1]])
def test_a_starttime_that_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(InvalidOptionError, match="option 'starttime' takes "):
        cache_options({"cache.starttime": value}, {})
    with pytest.raises(InvalidOptionError, match="option 'starttime' takes "):
        Cache("things", starttime=value)


def test_any_object_with_dumps_and_loads_serializes() -> None:
    class Compact:
        def dumps(self, value: Any) -> bytes:
            return json.dumps(value).encode()

        def loads(self, data: bytes) -> Any:
            return json.loads(data)

    serializer = Compact()

    assert session(data_serializer=serializer)["data_serializer"] is serializer


def test_a_timeout_needs_the_access_time() -> None:
    with pytest.raises(InvalidOptionError, match="save_accessed_time"):
        session(timeout="60", save_accessed_time="false")


def test_options_can_be_brought_to_their_types_twice() -> None:
    once = session(
        cookie_expires="300", secret="a\nb", legacy_until="2030-01-01", timeout="5"
    )

    assert session_options(once, {}) == once


def test_a_region_inherits_what_it_does_not_set() -> None:
    config = {
        "cache.regions": "short, long",
        "cache.type": "file",
        "cache.data_dir": "data",
        "cache.expire": "60",
        "cache.short.type": "memory",
        "cache.long.expire": "3600",
    }

    regions = cache_options(config, {})["cache_regions"]

    assert regions["short"]["type"] == "memory"
    assert regions["short"]["expire"] == 60
    assert regions["long"]["type"] == "file"
    assert regions["long"]["expire"] == 3600
    assert regions["long"]["data_dir"] == "data"


def test_a_region_of_another_type_does_not_inherit_the_url() -> None:
    config = {
        "cache.regions": "near, far",
        "cache.type": "ext:redis",
        "cache.url": "redis://cache",
        "cache.near.type": "memory",
    }

    regions = cache_options(config, {})["cache_regions"]

    assert "url" not in regions["near"]
    assert regions["far"]["url"] == "redis://cache"


def test_a_region_inherits_what_its_own_store_declares() -> None:
    config = {"regions": ["one"], "type": "riak", "bucket": "b", "one.expire": 5}

    assert cache_options(config, {})["cache_regions"]["one"]["bucket"] == "b"


def test_a_wrong_value_in_a_region_is_refused() -> None:
    config = {"cache.regions": "short", "cache.short.expire": "soon"}

    with pytest.raises(InvalidOptionError, match="'expire' takes a number of seconds"):
        cache_options(config, {})


def test_caching_is_enabled_unless_it_is_turned_off() -> None:
    assert cache_options({}, {})["enabled"] is True
    assert cache_options({"cache.enabled": "false"}, {})["enabled"] is False


def test_a_misspelt_option_is_told_with_what_was_meant() -> None:
    with pytest.warns(BeakerWarning) as caught:
        warn_unknown("session", ["secure", "htponly"])

    assert [str(warning.message) for warning in caught] == [
        "unknown option 'htponly'; did you mean 'httponly'?"
    ]


def test_a_prefix_where_none_belongs_is_told() -> None:
    with pytest.warns(BeakerWarning, match="'cache.type'; did you mean 'type'"):
        warn_unknown("cache", ["cache.type"])


def test_a_dotted_option_of_a_store_is_told_with_the_likely_one() -> None:
    with pytest.warns(BeakerWarning, match=r"'sa\.ehco'; did you mean 'sa\.echo'"):
        warn_unknown("cache", ["sa.ehco"], ["sa.echo"])


def test_an_option_of_a_region_that_is_not_listed_is_told() -> None:
    with pytest.warns(BeakerWarning, match="'shrot' is not in the option 'regions'"):
        warn_unknown("cache", ["shrot.expire"])


def test_the_warning_points_at_the_line_that_gave_the_option() -> None:
    with pytest.warns(BeakerWarning) as caught:
        warn_unknown("session", ["htponly"], stacklevel=2)

    assert caught[0].filename == __file__


def test_in_strict_mode_a_misspelt_option_is_an_error() -> None:
    with pytest.raises(UnknownOptionError, match="unknown option 'htponly'"):
        warn_unknown("session", ["htponly"], strict=True)


@pytest.mark.parametrize(
    ("section", "table"), [("session", SESSION_OPTIONS), ("cache", CACHE_OPTIONS)]
)
def test_no_known_option_is_warned_of(section: str, table: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_unknown(section, [*table, "log_file", "max_entries"], ["max_entries"])
