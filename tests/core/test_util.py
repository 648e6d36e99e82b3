from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import Any

import pytest

from beaker import _compat, converters, util
from beaker.exceptions import BeakerException, BeakerWarning


def test_a_sync_dict_makes_a_value_once_for_all_threads() -> None:
    registry, made = util.SyncDict(), []
    barrier = threading.Barrier(8)

    def make() -> object:
        made.append(1)
        return object()

    def ask() -> None:
        barrier.wait()
        registry.get("key", make)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1


def test_a_sync_dict_is_a_dictionary() -> None:
    registry = util.SyncDict()
    registry["key"] = 1

    assert registry.has_key("key")
    assert "key" in registry
    assert registry["key"] == 1
    del registry["key"]
    assert "key" not in registry


def test_a_weak_registry_lets_go_of_what_nobody_holds() -> None:
    class Held:
        pass

    registry = util.WeakValuedRegistry()
    held = registry.get("key", Held)
    assert registry.get("key", Held) is held

    del held
    gc.collect()

    assert "key" not in registry


def test_a_thread_local_is_each_threads_own() -> None:
    local = util.ThreadLocal()
    local.put(1)
    seen: list[bool] = []

    thread = threading.Thread(target=lambda: seen.append(local.has()))
    thread.start()
    thread.join()

    assert (local.get(), seen) == (1, [False])
    local.remove()
    assert local.get("none") == "none"


def test_encoded_path_spreads_files_over_directories(tmp_path: Path) -> None:
    path = util.encoded_path(
        str(tmp_path), ["abcdef"], extension=".cache", digest_filenames=False
    )

    assert path == str(tmp_path / "a" / "ab" / "abcdef.cache")
    assert Path(path).parent.is_dir()


def test_encoded_path_of_a_hostile_name_stays_under_its_root(tmp_path: Path) -> None:
    path = util.encoded_path(str(tmp_path), ["../../etc/passwd"])

    assert Path(path).resolve().is_relative_to(tmp_path)


def test_verify_directory_makes_what_is_missing_for_its_owner(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"

    util.verify_directory(str(directory))
    util.verify_directory(str(directory))

    assert directory.stat().st_mode & 0o077 == 0


def test_safe_write_replaces_a_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    util.safe_write(str(path), b"new")

    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_parsed_cache_options_have_the_keys_of_1x() -> None:
    config = {
        "cache.type": "file",
        "beaker.cache.data_dir": "data",
        "cache.regions": "short",
        "cache.short.expire": "60",
    }

    parsed = util.parse_cache_config_options(config)

    assert parsed == {
        "type": "file",
        "data_dir": "data",
        "expire": None,
        "log_file": None,
        "enabled": True,
        "cache_regions": {
            "short": {
                "type": "file",
                "data_dir": "data",
                "lock_dir": None,
                "expire": 60,
                "enabled": True,
                "key_length": util.DEFAULT_CACHE_KEY_LENGTH,
            }
        },
    }


def test_cache_options_can_be_parsed_without_defaults() -> None:
    parsed = util.parse_cache_config_options(
        {"cache.expire": "5"}, include_defaults=False
    )

    assert parsed == {"expire": 5}


def test_session_params_are_coerced_in_place() -> None:
    params = {"timeout": "600", "auto": "true", "a_frameworks_own": "1"}

    returned = util.coerce_session_params(params)

    assert returned is params
    assert params == {"timeout": 600, "auto": True, "a_frameworks_own": "1"}


def test_a_plugins_rules_are_applied_with_its_message() -> None:
    rules = [("size", (int, type(None)), "size must be a number")]
    params: dict[str, object] = {"size": "5"}

    assert util.verify_rules(params, rules) == {"size": 5}
    with pytest.raises(BeakerException, match="size must be a number"):
        util.verify_rules({"size": "big"}, rules)
    with pytest.raises(BeakerException, match="Empty strings are invalid for: size"):
        util.verify_rules({"size": " "}, rules)


def test_has_self_arg_tells_methods_from_functions() -> None:
    def method(self: object) -> None: ...
    def function(this: object) -> None: ...

    assert util.has_self_arg(method)
    assert not util.has_self_arg(function)


def test_two_functions_of_one_name_have_namespaces_of_their_own() -> None:
    class One:
        def load(self) -> None: ...

    class Two:
        def load(self) -> None: ...

    assert util.func_namespace(One.load) != util.func_namespace(Two.load)
    assert util.func_namespace(One.load) == util.func_namespace(One().load)


def test_a_deprecated_function_warns_and_works() -> None:
    @util.deprecated("call new instead")
    def old(number: int) -> int:
        """Do it."""
        return number + 1

    with pytest.warns(DeprecationWarning, match="call new instead"):
        assert old(1) == 2
    assert old.__name__ == "old"


def test_a_text_is_warned_of_as_beakers() -> None:
    with pytest.warns(BeakerWarning, match="careful"):
        util.warn("careful")


@pytest.mark.parametrize("method", ["json", "pickle"])
def test_serialize_and_deserialize_are_inverse(method: str) -> None:
    value = {"name": "Zoë", "count": [1, 2]}

    assert util.deserialize(util.serialize(value, method), method) == value


def test_the_machine_identifier_stays_the_same() -> None:
    assert util.machine_identifier() == util.machine_identifier()


@pytest.mark.parametrize(
    ("value", "truth"), [("Yes", True), ("off", False), (None, False), ([0], True)]
)
def test_asbool_knows_words_and_objects(value: Any, truth: bool) -> None:
    assert converters.asbool(value) is truth


def test_asbool_refuses_other_words() -> None:
    with pytest.raises(ValueError, match="String is not true/false: 'perhaps'"):
        converters.asbool("Perhaps ")


def test_aslist_takes_text_lists_none_and_one_object() -> None:
    assert converters.aslist("a, b", sep=",") == ["a", "b"]
    assert converters.aslist(" a  b ") == ["a", "b"]
    assert converters.aslist((1, 2)) == (1, 2)
    assert converters.aslist(None) == []
    assert converters.aslist(5) == [5]


def test_compat_names_are_those_of_python_3() -> None:
    assert _compat.PY2 is False
    assert _compat.b64decode(_compat.b64encode(b"data")) == b"data"
    assert _compat.bytes_("text") == b"text"
    assert _compat.u_(b"text") == "text"


def test_bindfuncargs_moves_named_arguments_to_their_positions() -> None:
    def function(a: int, b: int, *, c: int) -> None: ...

    bound = _compat.bindfuncargs(_compat.signature(function), (1,), {"b": 2, "c": 3})

    assert bound == ((1, 2), {"c": 3})
