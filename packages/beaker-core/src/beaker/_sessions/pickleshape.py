"""What a pickle would unfold to, told from its opcodes without unpickling it."""

from __future__ import annotations

from functools import cache
from math import log2
from typing import Any

from beaker.exceptions import CorruptRecordError

__all__ = ["refuse_greedy"]

#: Levels of objects in objects. A pickler gives up well before; to hash tuples that
#: are much deeper overruns the stack of the process.
DEEPEST = 2000

#: Objects, each counted as often as it is referred to: so often is it hashed.
LARGEST = 1 << 22

_PUTS = frozenset({"BINPUT", "LONG_BINPUT", "PUT"})
_GETS = frozenset({"BINGET", "LONG_BINGET", "GET"})
_CHANGES = frozenset({"ADDITEMS", "APPEND", "APPENDS", "BUILD", "SETITEM", "SETITEMS"})

_PUT, _REPEAT, _TUPLE, _EXTENSION = range(1, 5)
_KINDS = {
    **dict.fromkeys(_PUTS, _PUT),
    **dict.fromkeys([*_GETS, "DUP"], _REPEAT),
    **dict.fromkeys(["TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"], _TUPLE),
    **dict.fromkeys(["EXT1", "EXT2", "EXT4"], _EXTENSION),
}


def refuse_greedy(data: bytes) -> None:
    """Pass what unpickles in time and memory of the order of its own length.

    The unpickler makes its memo as long as the largest index it is told: a handful of
    bytes that name a large one, which noise does too, would take gigabytes. A tuple
    may hold another one twice, and that a third one twice: as a key, such a one would
    be hashed for years.

    Raises:
        CorruptRecordError: It is no pickle of protocol 2 or later, or does not, or
            names a class by a number.
    """
    from pickletools import genops

    if not (data.startswith(b"\x80") and data.endswith(b".")):
        raise CorruptRecordError("it neither begins nor ends as a pickle does")
    repeats = tuples = 0
    try:
        for opcode, argument, _ in genops(data):
            kind = _KINDS.get(opcode.name)
            if kind is None:
                continue
            if kind == _PUT and int(argument) > len(data):  # type: ignore[arg-type]  # their argument is a number
                raise CorruptRecordError(f"a pickle with a memo of {argument}")
            if kind == _EXTENSION:
                # What was once found by its number is not looked up again.
                raise CorruptRecordError(f"a pickle with the extension {argument}")
            repeats += kind == _REPEAT
            tuples += kind == _TUPLE
        if not _is_harmless(len(data), repeats, tuples):
            _measure(data)
    except (IndexError, KeyError, ValueError, UnicodeError) as e:
        if isinstance(e, CorruptRecordError):
            raise
        raise CorruptRecordError(f"no pickle: {e!r}") from e


def _is_harmless(length: int, repeats: int, tuples: int) -> bool:
    """Return whether even the worst order of so many opcodes is not too much."""
    if tuples == 0:
        return True
    if tuples > DEEPEST:
        return False
    # At worst all repetitions are spread evenly, and each tuple holds the last one.
    return log2(length) + tuples * log2(1 + repeats / tuples) < log2(LARGEST)


def _measure(data: bytes) -> None:
    from pickletools import genops

    machine = _Machine()
    for opcode, argument, _ in genops(data):
        machine.run(opcode.name, argument)


class _Shape:
    """How deep and large an object is, and whether another one holds it."""

    __slots__ = ("depth", "is_held", "size")

    def __init__(self) -> None:
        self.depth, self.size, self.is_held = 0, 1, False

    def hold(self, others: list[_Shape]) -> None:
        for other in others:
            other.is_held = True
            self.depth = max(self.depth, other.depth + 1)
            self.size += other.size
        if self.depth > DEEPEST or self.size > LARGEST:
            raise CorruptRecordError(
                f"a pickle of {self.depth} levels and {self.size} objects"
            )


class _Machine:
    """The stack and the memo of an unpickler that only looks at shapes."""

    __slots__ = ("_marks", "_memo", "_stack")

    def __init__(self) -> None:
        self._stack: list[_Shape] = []
        self._marks: list[int] = []
        self._memo: dict[int, _Shape] = {}

    def run(self, name: str, argument: Any) -> None:
        """Do what an opcode does."""
        stack = self._stack
        if name in _PUTS:
            self._memo[int(argument)] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in _GETS:
            stack.append(self._memo[int(argument)])
        elif name == "MARK":
            self._marks.append(len(stack))
        elif name == "DUP":
            stack.append(stack[-1])
        elif name == "POP" and self._marks[-1:] == [len(stack)]:
            self._marks.pop()
        else:
            self._build(name)

    def _build(self, name: str) -> None:
        takes, to_mark, gives = _effects()[name]
        stack = self._stack
        start = (self._marks.pop() if to_mark else len(stack)) - takes
        if start < 0:
            raise CorruptRecordError(f"no pickle: nothing to {name}")
        taken = stack[start:]
        del stack[start:]
        if name in _CHANGES:
            changed = taken[0]
            # Who holds it was measured before: only lists and the like hold others
            # while they change, and these are never hashed.
            if name == "BUILD" and changed.is_held:
                raise CorruptRecordError("a pickle that changes what another one holds")
            changed.hold(taken[1:])
            stack.append(changed)
        elif gives:
            shape = _Shape()
            shape.hold(taken)
            stack.append(shape)


@cache
def _effects() -> dict[str, tuple[int, bool, bool]]:
    """Return what each opcode takes, whether all above the mark too, and if it gives."""
    from pickletools import markobject, opcodes

    effects = {}
    for opcode in opcodes:
        before = opcode.stack_before
        to_mark = markobject in before
        takes = before.index(markobject) if to_mark else len(before)
        effects[opcode.name] = takes, to_mark, bool(opcode.stack_after)
    return effects
