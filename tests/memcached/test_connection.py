"""What a connection reads, however the network cuts it."""

from __future__ import annotations

from typing import Any

import pytest
from pymemcache.exceptions import MemcacheClientError, MemcacheUnexpectedCloseError

from beaker_memcached.clients.pymemcache_connection import Connection

ANSWER = (
    b"STORED\r\nEXISTS\r\n"
    b"VALUE one 0 11 7\r\nEND\r\nVALUE \r\n"
    b"VALUE empty 16 0 8\r\n\r\n"
    b"VALUE two 0 5 9\r\n12345\r\n"
    b"END\r\n"
)
FOUND = {
    "one": (b"END\r\nVALUE ", b"7"),
    "empty": (b"", b"8"),
    "two": (b"12345", b"9"),
}


class Pieces:
    """A socket on which an answer comes in pieces, and then its end."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [piece for piece in pieces if piece]

    def sendall(self, data: bytes) -> None:
        pass

    def recv(self, size: int) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if piece[size:]:
            self._pieces.insert(0, piece[size:])
        return piece[:size]

    def close(self) -> None:
        pass


def conversation(*pieces: bytes) -> Any:
    connection = Connection(None, ("localhost", 11211))
    connection.sock = Pieces(*pieces)
    return connection.converse(b"gets one two\r\n")


def test_an_answer_is_read_whole_wherever_it_is_cut() -> None:
    for first in range(len(ANSWER)):
        for second in range(first, len(ANSWER)):
            pieces = ANSWER[:first], ANSWER[first:second], ANSWER[second:]

            assert conversation(*pieces) == ([b"STORED", b"EXISTS"], FOUND)


def test_an_answer_is_read_whole_byte_by_byte() -> None:
    pieces = [ANSWER[at : at + 1] for at in range(len(ANSWER))]

    assert conversation(*pieces) == ([b"STORED", b"EXISTS"], FOUND)


def test_large_data_are_read_whole() -> None:
    data = bytes(range(256)) * 4000

    answer = b"VALUE one 0 %d\r\n%b\r\nEND\r\n" % (len(data), data)

    assert conversation(answer) == ([], {"one": (data, None)})


@pytest.mark.parametrize("end", [0, 5, 20, 40, len(ANSWER) - 1])
def test_an_answer_without_its_end_is_none(end: int) -> None:
    with pytest.raises(MemcacheUnexpectedCloseError):
        conversation(ANSWER[:end])


def test_what_the_server_says_instead_is_told() -> None:
    with pytest.raises(MemcacheClientError, match="SERVER_ERROR too large"):
        conversation(b"SERVER_ERROR too large\r\nEND\r\n")
