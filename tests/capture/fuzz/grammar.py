"""What the values of random programs are, and the state of the writer of one function."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    """The kind of a value; a name has one kind throughout a function."""

    family: str
    dtype: str = ""
    shape: tuple[int, ...] = ()


F0, F2, F3, F6 = (Kind("tensor", "float32", s) for s in ((), (2,), (3,), (6,)))
F23, F32 = Kind("tensor", "float32", (2, 3)), Kind("tensor", "float32", (3, 2))
I0, I3 = Kind("tensor", "int32", ()), Kind("tensor", "int32", (3,))
INT, FLOAT, BOOL = Kind("int"), Kind("float"), Kind("bool")
LIST, DICT, BOX, TEXT = Kind("list"), Kind("dict"), Kind("box"), Kind("text")
M0, M3, M23 = (Kind("mask", "bool", s) for s in ((), (3,), (2, 3)))
CONDITION = Kind("condition")

CODES = {
    "F0": F0, "F2": F2, "F3": F3, "F6": F6, "F23": F23, "F32": F32, "I0": I0, "I3": I3,
    "INT": INT, "FLOAT": FLOAT, "BOOL": BOOL, "LIST": LIST, "DICT": DICT, "BOX": BOX,
    "M0": M0, "M3": M3, "M23": M23, "COND": CONDITION, "TEXT": TEXT,
}  # fmt: skip

NAMES: dict[str, Kind] = {
    **dict.fromkeys(("x", "x1", "x2"), F3),
    **dict.fromkeys(("y", "y1"), F23),
    **dict.fromkeys(("s", "s1", "s2"), F0),
    **dict.fromkeys(("w", "w1"), F2),
    **dict.fromkeys(("c", "c1"), I0),
    **dict.fromkeys(("v", "v1"), I3),
    **dict.fromkeys(("n", "m", "k"), INT),
    **dict.fromkeys(("t", "u"), FLOAT),
    **dict.fromkeys(("p", "q"), BOOL),
    **dict.fromkeys(("items", "rest"), LIST),
    **dict.fromkeys(("box", "other"), BOX),
    "z": F32,
    "g": F6,
    "table": DICT,
    "word": TEXT,
}

PARAMETERS = ("x", "y", "s", "c", "v", "n", "t", "p", "items", "table", "box")

# Each program has some of these: programs of few features, much used, find more than all at once.
FEATURES = (
    "tensor_conditions", "python_conditions", "while", "for_range", "for_tensor", "for_list",
    "break", "continue", "return", "else", "ternary", "boolean", "augmented", "item_write",
    "mask_write", "views", "alias", "list", "dict", "attribute", "closure", "helper", "walrus",
    "finally", "except", "raise", "assert", "print", "lambda", "comprehension", "match", "global",
    "with", "casts", "zero_d", "unbound", "text", "generator", "out", "nested_if", "traced_index",
    "method", "recursion", "starred",
)  # fmt: skip


@dataclass(frozen=True)
class Callable:
    """A function that the program may call."""

    name: str
    parameters: tuple[Kind, ...]
    result: Kind


@dataclass
class Writer:
    """One function being written: its lines so far, and what is assigned where it stands."""

    rng: random.Random
    features: frozenset[str]
    returns: tuple[Kind, ...]
    callables: list[Callable]
    lines: list[str] = field(default_factory=list)
    indent: int = 1
    kinds: dict[str, Kind] = field(default_factory=lambda: dict(NAMES))
    assignable: dict[str, Kind] = field(default_factory=lambda: dict(NAMES))
    scope: set[str] = field(default_factory=set)
    loops: int = 0
    depth: int = 0
    budget: int = 20
    walrus: bool = True
    globals: bool = True
    numpy: bool = True
    fresh: int = 0
    in_finally: bool = False

    def has(self, feature: str, chance: float = 1.0) -> bool:
        """Whether the feature is on, and by chance used now."""
        return feature in self.features and self.rng.random() < chance

    def emit(self, line: str) -> None:
        """Write one line."""
        self.lines.append("    " * self.indent + line)

    def of(self, kind: Kind) -> list[str]:
        """The names that hold such a value now."""
        return sorted(name for name in self.scope if self.kinds[name] == kind)

    def targets(self, kind: Kind) -> list[str]:
        """The names that such a value may be assigned to."""
        return [name for name, k in self.assignable.items() if k == kind]

    def new(self, prefix: str) -> str:
        """A name that was not used."""
        self.fresh += 1
        return f"{prefix}{self.fresh}"
