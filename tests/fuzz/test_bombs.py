"""What a few bytes would unfold to, nobody waits for, and no memory is taken for."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from beaker._sessions.pickleshape import refuse_greedy
from beaker._sessions.plaindata import load_plain
from tests.core.test_session_trust import PLAIN

#: Megabytes by which a process may grow, and seconds of its time, for all of them.
MEMORY, SECONDS = 64, 60

LOAD = """
import resource, sys
from beaker.exceptions import CorruptRecordError
from tests.core.sessions import SharedMemory, again, stored
from tests.fuzz.bombs import BOMBS, DEFLATED
from tests.fuzz.cookies import FORMS, accepted
from tests.fuzz.planting import in_cookie, in_store

shared = {"namespace_class": SharedMemory}
ways = [{}, {"data_serializer": "json"}, {"secret": "m3Yq-8sUz_2bTgLx7wKd"}]
sessions = [({**shared, **way}, stored({**shared, **way}, n=1)) for way in ways]
refused = loaded = 0
seconds = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for bomb in (*BOMBS.values(), *DEFLATED.values()):
    for options, session in sessions:
        for planted in in_store(bomb).values():
            session._stored.store.store("session", planted, None)
            try:
                again(options, session.id)
            except CorruptRecordError:
                refused += 1
            else:
                loaded += 1
    # Servers take no larger headers.
    for form in FORMS.values() if len(bomb) < 8192 else ():
        for sent in in_cookie(bomb).values():
            assert not accepted(sent, form.reads)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(refused, loaded, grown // 1024)
"""


def test_bombs_are_refused_in_little_time_and_memory() -> None:
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-c", LOAD, str(SECONDS)],
        check=True,
        capture_output=True,
        text=True,
    )

    refused, loaded, grown = map(int, done.stdout.split())
    assert refused > 1000
    # A record that is no bomb any more once it is read as JSON, or as removed.
    assert loaded < refused / 20
    assert grown < MEMORY


def test_a_signed_cookie_of_1x_inflates_to_no_more_than_a_megabyte() -> None:
    code = """
import resource
from base64 import b64encode
from beaker.signing import former_signature
from tests.fuzz.bombs import DEFLATED
from tests.fuzz.cookies import FORMS, SECRET, accepted

payloads = [b64encode(one).decode() for one in DEFLATED.values()]
cookies = [former_signature(SECRET.encode(), one) + one for one in payloads]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for cookie in cookies:
    assert not accepted(cookie, FORMS["signed by 1.x, json"].reads)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )

    assert int(done.stdout) < MEMORY


@pytest.mark.parametrize("protocol", range(2, 6))
def test_what_is_measured_is_still_plain_data(protocol: int) -> None:
    pair = ("shared", 1)
    shared = {number: [pair, pair, (pair, number)] for number in range(3000)}
    cyclic: list[object] = []
    cyclic.append(cyclic)

    for value in (PLAIN, shared, cyclic):
        refuse_greedy(pickle.dumps(value, protocol))
    assert load_plain(pickle.dumps(shared, protocol)) == shared
