"""The servers that tests start: ready when they are handed out, gone afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from beaker.testing import KNOWN, Server, server, wait_until
from beaker.testing._processes import program

pytestmark = pytest.mark.redis

STARTS_ONE = """
import sys
from pathlib import Path
from beaker.testing import KNOWN, Server

server = Server(KNOWN["redis"], Path(sys.argv[1])).start()
Path(sys.argv[1], "url").write_text(server.url)
print("ready", flush=True)
sys.stdin.read()
"""


def is_up(url: str) -> bool:
    with Redis.from_url(url, retry=None, socket_timeout=1) as client:
        try:
            return bool(client.ping())
        except OSError:
            return False
        except Exception as e:  # noqa: BLE001  # redis-py's are no OSError
            return "LOADING" in str(e)


def test_a_killed_test_session_leaves_no_server_behind(tmp_path: Path) -> None:
    with program(STARTS_ONE, str(tmp_path)) as session:
        url = (tmp_path / "url").read_text()
        assert is_up(url)
        session.kill()
        session.wait()

    wait_until(lambda: not is_up(url), lambda: "the server is still there")


def test_a_server_is_gone_after_its_block(tmp_path: Path) -> None:
    with Server(KNOWN["redis"], tmp_path) as ours:
        assert is_up(ours.url)

    assert not is_up(ours.url)


def test_it_keeps_its_place_when_it_is_started_anew(tmp_path: Path) -> None:
    with Server(KNOWN["redis"], tmp_path) as ours:
        url = ours.url
        ours.kill()
        assert not is_up(url)
        ours.start()

        assert ours.url == url
        assert is_up(url)


def test_the_environment_may_name_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEAKER_TEST_REDIS_URL", "redis://elsewhere/0")

    with server("redis", tmp_path / "unused") as url:
        assert url == "redis://elsewhere/0"

    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize(
    ("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_a_missing_program_is_named_with_what_installs_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ci: str,
    outcome: type[BaseException],
) -> None:
    monkeypatch.setenv("CI", ci)
    missing = KNOWN["redis"]._replace(program="redis-nowhere")

    with pytest.raises(outcome, match="apt-get install redis-server"):
        Server(missing, tmp_path).start()


def test_a_server_that_ends_at_once_is_told_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"(?s)ended at once.*nonsense"):
        Server(KNOWN["redis"], tmp_path, "--nonsense", "1").start()
