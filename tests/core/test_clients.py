from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from beaker import clients
from beaker.clients import forget_client, shared_client
from beaker.testing._processes import PATIENCE, fork, program, succeeds

KEY = ("a store", "its url")


class Client:
    closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def no_client_is_left_over() -> Iterator[None]:
    yield

    clients._clients().close_all()


def test_all_who_give_one_key_share_a_client() -> None:
    first = shared_client(KEY, Client, Client.close)

    assert shared_client(KEY, Client, Client.close) is first
    assert shared_client(("another", *KEY), Client, Client.close) is not first


def test_threads_that_race_make_one_client() -> None:
    made: list[Client] = []

    def make() -> Client:
        time.sleep(0.02)
        made.append(Client())
        return made[-1]

    def ask() -> None:
        shared_client(KEY, make, Client.close)

    workers = [threading.Thread(target=ask) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)

    assert len(made) == 1


def test_a_client_that_cannot_be_made_is_tried_again() -> None:
    def refuse() -> Client:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        shared_client(KEY, refuse, Client.close)

    assert isinstance(shared_client(KEY, Client, Client.close), Client)


def test_making_a_client_may_take_another_one() -> None:
    def make() -> list[Client]:
        return [shared_client("inner", Client, Client.close)]

    assert shared_client(KEY, make, list.clear)


def test_a_forgotten_client_is_closed_once_and_made_anew() -> None:
    client = shared_client(KEY, Client, Client.close)

    forget_client(KEY)
    forget_client(KEY)

    assert client.closed == 1
    assert shared_client(KEY, Client, Client.close) is not client


def test_a_client_that_does_not_close_is_forgotten_all_the_same() -> None:
    def refuse(_client: Client) -> None:
        raise ConnectionResetError

    client = shared_client(KEY, Client, refuse)

    forget_client(KEY)

    assert shared_client(KEY, Client, Client.close) is not client


def test_a_forked_child_has_a_client_of_its_own() -> None:
    client = shared_client(KEY, Client, Client.close)

    def child() -> bool:
        own = shared_client(KEY, Client, Client.close)
        forget_client(KEY)
        return own is not client and (own.closed, client.closed) == (1, 0)

    assert succeeds(fork(child))


def test_a_child_that_is_forked_while_a_client_is_made_makes_its_own() -> None:
    begun, done = threading.Event(), threading.Event()

    def make() -> Client:
        begun.set()
        done.wait(PATIENCE)
        return Client()

    maker = threading.Thread(target=shared_client, args=(KEY, make, Client.close))
    maker.start()
    begun.wait(PATIENCE)

    child = fork(lambda: shared_client(KEY, Client, Client.close))

    assert succeeds(child)
    done.set()
    maker.join(PATIENCE)


TELLING = """
import os, sys
from beaker.clients import shared_client

class Client:
    def __init__(self):
        self.made_by = os.getpid()
    def close(self):
        self.tell("closes")
    def __del__(self):
        self.tell("finalizes")
    def tell(self, what, pid=os.getpid, write=os.write):
        who = "its own" if pid() == self.made_by else "its parent's"
        write(1, f"{what} {who}\\n".encode())

print("ready", flush=True)
"""


def said_by(code: str) -> list[str]:
    with program(TELLING + code) as process:
        assert process.stdout is not None
        return process.stdout.read().splitlines()


def test_our_clients_are_closed_at_exit() -> None:
    said = said_by("shared_client('key', Client, Client.close)")

    assert said == ["closes its own", "finalizes its own"]


def test_a_child_that_exits_neither_closes_nor_finalizes_its_parents_client() -> None:
    # The parent ends without a word, so that all that is said is the child's.
    said = said_by("""
shared_client('key', Client, Client.close)
child = os.fork()
if child:
    os.waitpid(child, 0)
    os._exit(0)
shared_client('key', Client, Client.close)
""")

    assert said == ["closes its own", "finalizes its own"]


def test_a_child_without_clients_does_not_finalize_its_parents_either() -> None:
    said = said_by("""
shared_client('key', Client, Client.close)
child = os.fork()
if child:
    os.waitpid(child, 0)
    os._exit(0)
""")

    assert said == []


def test_a_child_of_a_child_keeps_all_apart() -> None:
    client = shared_client(KEY, Client, Client.close)

    def child() -> bool:
        mine = shared_client(KEY, Client, Client.close)

        def grandchild() -> bool:
            own = shared_client(KEY, Client, Client.close)
            return own is not mine and own is not client

        return succeeds(fork(grandchild))

    assert succeeds(fork(child))
    assert os.getpid() in clients._clients._made
