"""Changes what was issued in all the ways that an attacker, or chance, would."""

from __future__ import annotations

import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence

__all__ = ["Mutator"]

#: What stands in cookies, what ends them, and what no cookie may hold.
CHARACTERS = [chr(code) for code in range(256)] + list("0123456789abcdef-_.=") * 8

#: Where the values of 1.x and of 2.x have their signatures, and a record its fields.
SEAMS = [3, 4, 5, 6, 14, 22, 30, 32, 40, -32, -43, -64, -65]


class Mutator:
    """Makes cookie values that nobody issued out of some that were.

    Args:
        seed: The same seed makes the same values.
        issued: The values to begin with; two at least.
    """

    def __init__(self, seed: int, issued: Sequence[str]) -> None:
        self._chance = random.Random(seed)  # noqa: S311  # to be repeated, not secret
        self._issued = issued
        self._ways: list[Callable[[str], str]] = [
            *(self._replaced, self._flipped, self._deleted, self._inserted),
            *(self._doubled, self._cut, self._beheaded, self._spliced),
            *(self._swapped, self._in_other_case, self._with_other_bits),
            *(self._with_other_head, self._noise, self._unprotected),
        ]

    def __call__(self) -> str:
        """Return the next value; most differ from an issued one in one place."""
        value = self._chance.choice(self._issued)
        for _ in range(self._chance.choice((1, 1, 1, 2, 3))):
            value = self._chance.choice(self._ways)(value)
        return value

    def _at(self, value: str) -> int:
        if self._chance.random() < 0.2:
            return self._chance.choice(SEAMS) % (len(value) + 1)
        return self._chance.randrange(len(value) + 1)

    def _replaced(self, value: str) -> str:
        at = self._at(value)
        return value[:at] + self._chance.choice(CHARACTERS) + value[at + 1 :]

    def _flipped(self, value: str) -> str:
        if not value:
            return value
        at = self._at(value) % len(value)
        bit = 1 << self._chance.randrange(7)
        return value[:at] + chr(ord(value[at]) ^ bit) + value[at + 1 :]

    def _deleted(self, value: str) -> str:
        at = self._at(value)
        return value[:at] + value[at + self._chance.randrange(1, 9) :]

    def _inserted(self, value: str) -> str:
        at = self._at(value)
        more = self._chance.choices(CHARACTERS, k=self._chance.choice((1, 1, 4)))
        return value[:at] + "".join(more) + value[at:]

    def _doubled(self, value: str) -> str:
        at, end = sorted((self._at(value), self._at(value)))
        return value[:end] + value[at:]

    def _cut(self, value: str) -> str:
        return value[: self._at(value)]

    def _beheaded(self, value: str) -> str:
        return value[self._at(value) :]

    def _spliced(self, value: str) -> str:
        other = self._chance.choice(self._issued)
        at = self._at(value)
        return value[:at] + other[at:]

    def _swapped(self, value: str) -> str:
        at = self._at(value)
        return value[at:] + value[:at]

    def _in_other_case(self, value: str) -> str:
        at, end = sorted((self._at(value), self._at(value)))
        return value[:at] + value[at:end].swapcase() + value[end:]

    def _with_other_bits(self, value: str) -> str:
        """Change a bit of what the base64 stands for, or of its last digit."""
        data = bytearray(_unbased(value))
        if not data:
            return value
        data[self._at(value) % len(data)] ^= 1 << self._chance.randrange(8)
        return _based(bytes(data))

    def _with_other_head(self, value: str) -> str:
        """Take the fields of a header from chance, below a signature that was good."""
        data = bytearray(_unbased(value))
        end = min(len(data), 30)
        for _ in range(self._chance.randrange(1, 4)):
            if end > 3:
                at = self._chance.randrange(3, end)
                data[at] = self._chance.choice((0, 1, 2, 3, 255, data[at] ^ 1))
        return _based(bytes(data)) or value

    def _unprotected(self, value: str) -> str:
        """Say that nothing protects it, and leave out what did."""
        data = bytearray(_unbased(value))
        if len(data) <= 38:
            return value
        data[4] = data[5] = 0
        return _based(bytes(data[:-32]))

    def _noise(self, value: str) -> str:
        length = self._chance.choice((0, 1, len(value), 2 * len(value)))
        return "".join(self._chance.choices(CHARACTERS, k=length))


def _unbased(value: str) -> bytes:
    try:
        return urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except ValueError:
        return b""


def _based(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
