"""What the doctor says of a configuration, and what it never says."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import beaker.cache
from beaker._sessions.weakness import weakness
from beaker.commands import main
from beaker.commands.doctor import section_findings
from beaker.commands.files import Section
from beaker.commands.findings import ERROR, GOOD, NOTE, WARNING, Finding, Redactor
from beaker.commands.rendering import findings_table
from beaker.protocols import NamespaceManager
from beaker.session import Session
from tests.core.sessions import FORMER_ID, FORMER_PAYLOAD

STRONG = "4f1d9c0b7a52e86318df0a94c6b2e75d"

Found = dict[str, list[Finding]]

pytestmark = pytest.mark.usefixtures("own_registries")


def of_session(**options: Any) -> Found:
    return by_subject(Section("app:main", options, {}))


def of_cache(**options: Any) -> Found:
    return by_subject(Section("app:main", {}, options))


def by_subject(section: Section) -> Found:
    found: Found = {}
    for finding in section_findings(section):
        found.setdefault(finding.about, []).append(finding)
    return found


def levels(found: Found) -> set[str]:
    return {finding.level for several in found.values() for finding in several}


def test_all_is_well_with_a_good_configuration(tmp_path: Path) -> None:
    found = of_session(
        type="file", data_dir=str(tmp_path), timeout="3600", secret=STRONG
    )

    assert levels(found) == {GOOD}
    assert "beaker-core" in found["session.type"][0].says
    assert "answers" in found["session store"][0].says
    assert "durable" in found["session store"][1].says
    assert found["sessions"][0].says == "there are none yet"


# -- options


def test_a_misspelt_option_is_told_with_the_likely_one(tmp_path: Path) -> None:
    found = of_session(type="file", data_dir=str(tmp_path), htponly="true")

    (told,) = found["session.htponly"]
    assert (told.level, told.remedy) == (WARNING, "did you mean 'httponly'?")


def test_in_strict_mode_it_is_an_error(tmp_path: Path) -> None:
    found = of_session(type="file", data_dir=str(tmp_path), htponly="1", mode="strict")

    assert found["session.htponly"][0].level == ERROR


def test_a_value_that_an_option_does_not_take_is_an_error() -> None:
    found = of_session(type="memory", timeout="soon")

    assert found["session.timeout"][0] == Finding(
        ERROR,
        "session.timeout",
        "takes a number of seconds from 0 on, and not 'soon'",
        "set it right",
    )


@pytest.mark.parametrize("name", ["log_file", "timeout"])
def test_what_nobody_reads_any_more_is_noted(name: str) -> None:
    found = of_cache(type="memory", **{name: "1"})

    assert found[f"cache.{name}"][0].level == NOTE


@pytest.mark.parametrize(
    ("option", "value"), [("httponly", "false"), ("secure", "no"), ("timeout", None)]
)
def test_what_is_unsafe_is_told_with_a_remedy(option: str, value: Any) -> None:
    found = of_session(type="memory", **{option: value})

    (told,) = found[f"session.{option}"]
    assert told.level == WARNING
    assert told.remedy


def test_the_options_of_each_region_are_looked_at(tmp_path: Path) -> None:
    found = of_cache(
        **{
            "regions": "short, long",
            "type": "file",
            "data_dir": str(tmp_path),
            "short.expire": "abc",
            "long.expyre": "5",
        }
    )

    assert found["cache.short.expire"][0].level == ERROR
    assert found["cache.long.expyre"][0].remedy == "did you mean 'expire'?"
    assert "answers" in found["cache.long store"][0].says


def test_what_the_store_reads_is_not_told_as_left_over() -> None:
    found = of_cache(type="ext:redis", url="redis://127.0.0.1:1/0", timeout="60")

    assert "cache.timeout" not in found


def test_a_region_that_is_not_listed_is_told() -> None:
    found = of_cache(**{"regions": "short", "lnog.expire": "5"})

    (told,) = found["cache.lnog.expire"]
    assert told.level == WARNING
    assert told.remedy == "name the region there, or take its 'expire' out"


@pytest.mark.parametrize(
    "secret",
    ["short", "a" * 40, "correct horse battery", "change-me-change-me-1", b"secret"],
)
def test_a_secret_that_can_be_guessed_is_weak(secret: str | bytes) -> None:
    assert weakness(secret) is not None


def test_a_random_secret_is_not_weak() -> None:
    assert weakness(STRONG) is None


def test_each_weak_secret_of_a_list_is_told_without_it(tmp_path: Path) -> None:
    found = of_session(
        type="file", data_dir=str(tmp_path), secret=f"{STRONG}\nsomesecret\nxyzzy"
    )

    told = found["session.secret"]
    assert [each.says for each in told] == [
        "is weak: it has 10 characters only",
        "is weak: it has 5 characters only",
    ]
    assert "token_urlsafe" in told[0].remedy


def test_a_secret_that_is_a_word_is_hidden_where_it_stands_alone() -> None:
    about, word = "session.secret", "secret"
    finding = Finding(ERROR, about, f"no {word} at :{word}@host", "import secrets")

    told = Redactor([{word: word}]).clean(finding)

    assert told == Finding(ERROR, about, "no *** at :***@host", "import secrets")


# -- stores


def test_a_store_that_is_not_installed_comes_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("beaker.plugins._entry_points", list)

    found = of_session(type="ext:redis", url="redis://localhost/0")

    assert found["session.type"][0].level == ERROR
    assert "pip install 'beaker-redis>=2'" in found["session.type"][0].remedy


def test_a_store_that_is_away_is_told_without_its_password() -> None:
    pytest.importorskip("beaker_redis")
    url = "redis://ann:hunter2hunter2@127.0.0.1:9/0"

    found = of_session(type="ext:redis", url=url, secret="hunter2hunter2!", timeout=5)

    assert found["session store"][0].level == ERROR
    assert "hunter2" not in str(found)


def test_a_cipher_that_is_not_installed_comes_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("beaker.plugins._entry_points", list)

    found = of_session(type="memory", encrypt_key=STRONG)

    assert "pip install 'beaker-crypto>=2'" in found["session"][0].remedy


class OfFormer(NamespaceManager):
    """As those are that were published for 1.x."""

    def __init__(self, namespace: str, **_params: Any) -> None:
        super().__init__(namespace)

    def __contains__(self, key: object) -> bool:
        return False

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)


def test_a_class_of_1x_is_best_effort() -> None:
    beaker.cache.clsmap["riak"] = OfFormer

    found = of_session(type="riak", anything="goes", secret=STRONG, timeout=5)

    assert found["session.type"][0].level == NOTE
    assert "best effort here" in found["session.type"][0].says
    assert "session.anything" not in found
    assert levels(found) == {GOOD, NOTE}


def test_unsigned_pickles_in_a_shared_cache_are_noted() -> None:
    beaker.cache.clsmap["riak"] = OfFormer

    found = of_cache(type="riak")

    assert "can run code" in found["cache.data_serializer"][0].says


# -- sessions


def test_sessions_of_1x_are_counted_and_their_fate_told(tmp_path: Path) -> None:
    options: dict[str, Any] = {"type": "file", "data_dir": str(tmp_path)}
    session = Session({}, use_cookies=False, **options)
    session["n"] = 1
    session.save()
    former = pickle.dumps({"session": FORMER_PAYLOAD}, 2)
    for known, content in ((FORMER_ID, former), ("f" * 32, b"junk")):
        place = tmp_path / "container_file" / known[:1] / known[:2]
        place.mkdir(parents=True, mode=0o700, exist_ok=True)
        (place / f"{known}.cache").write_bytes(content)

    found = of_session(**options, mode="compat")

    told = [each.says for each in found["sessions"]]
    assert told[0].startswith("3 were looked at: 1 of 2.x, 1 of 1.x, 1 of neither")
    assert "1 of them cannot be read" in told[1]
    assert found["session.mode = compat"][0].says.endswith("(as it is now)")
    assert "refused" in found["session.mode = strict"][0].says


# -- the command


def file(tmp_path: Path, **options: str) -> str:
    lines = [f"session.{name} = {value}" for name, value in options.items()]
    path = tmp_path / "shop.ini"
    path.write_text("\n".join(["[app:main]", *lines]))
    return str(path)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"timeout": "60", "secret": STRONG}, 0),
        ({"timeout": "60", "secret": "weak"}, 1),
        ({"timeout": "soon"}, 2),
    ],
)
def test_the_exit_status_says_how_bad_it_is(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: dict[str, str],
    status: int,
) -> None:
    path = file(tmp_path, type="file", data_dir=str(tmp_path), **options)

    assert main(["doctor", path]) == status

    said = capsys.readouterr().out
    assert f"{path} [app:main]" in said
    assert ("all is well" in said) == (status == 0)


def test_programs_get_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, type="memroy")

    assert main(["doctor", "--json", path]) == 2

    told = json.loads(capsys.readouterr().out)
    (section,) = told["sections"]
    assert section["name"] == "app:main"
    assert section["findings"][0]["level"] == ERROR
    assert "did you mean 'memory'?" in section["findings"][0]["remedy"]


def test_a_file_that_cannot_be_used_is_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "nowhere.ini"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("beaker: nowhere.ini: No such file")
    assert line.endswith("give the path of an INI or TOML file that can be read")


def test_rich_shows_the_same_as_a_table() -> None:
    console = pytest.importorskip("rich.console").Console(file=io.StringIO(), width=90)

    console.print(findings_table("[a]", [Finding(ERROR, "[x].type", "no [b]", "do")]))

    said = console.file.getvalue()
    assert all(part in said for part in ("error", "[x].type", "no [b]", "do"))
