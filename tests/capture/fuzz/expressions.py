"""Random expressions of a given kind."""

from __future__ import annotations

import re

from tests.capture.fuzz.grammar import (
    BOOL,
    CODES,
    CONDITION,
    F0,
    F2,
    F3,
    F6,
    F23,
    F32,
    FLOAT,
    I0,
    I3,
    INT,
    TEXT,
    Kind,
    Writer,
)

# Texts with the kinds of their operands; `K` is the kind asked for. "feature: text" needs one.
VIEWS: dict[Kind, tuple[str, ...]] = {
    F6: ("{F23}.reshape(6)", "{F23}.reshape(-1)", "{F6}[::-1]"),
    F23: ("{F32}.T", "{F6}.reshape(2, 3)", "{F23}[::-1]", "{F23}[:, ::-1]", "{F23}[...]"),
    F32: ("{F23}.T", "{F6}.reshape(3, 2)", "xp.transpose({F23})", "{F32}[::-1]"),
    F3: (
        "{F23}[0]", "{F23}[-1]", "{F6}[:3]", "{F6}[1:][::2]", "{F32}[:, 0]", "{F3}[::-1]",
        "{F23}[{INT} % 2]", "{F23}[1:, :][0]", "attribute: box.v", "list: items[0]",
        "dict: table['v']", "list: items[{INT} % len(items)]", "global: BIAS",
    ),
    F2: ("{F3}[1:]", "{F3}[:2]", "{F3}[::2]", "{F23}[:, 1]", "{F3}[::-1][1:]", "{F32}[0]"),
    F0: ("zero_d: {F3}[0]", "zero_d: {F23}[1, 2]", "attribute: box.s", "dict: table['s']"),
    I3: ("{I3}[::-1]",),
    I0: ("zero_d: {I3}[1]",),
}  # fmt: skip

FLOATS: tuple[str, ...] = (
    "({K} + {K})", "({K} - {K})", "xp.floor(xp.clip({K} * {K}, -16, 16))", "({K} + {F0})",
    "({K} + {INT})", "({K} - {FLOAT})", "xp.maximum({K}, {K})", "xp.minimum({K}, {K})", "-{K}",
    "abs({K})", "({K} * 2)", "(1 - {K})", "ternary: ({K} if {COND} else {K})",
    "lambda: (lambda a_: a_ + {K})({K})", "xp.clip({K}, -3, 3)",
)  # fmt: skip

COMPUTED: dict[Kind, tuple[str, ...]] = {
    F0: (
        *FLOATS, "{F3}.sum()", "{F3}.max()", "({F3}[0] + 0)", "{F23}.min()", "xp.sum({F3})",
        "({F3}[{INT} % 3] + 0)", "{I0}.astype('float32')", "({F23}[1, 2] + 0)",
        "traced_index: ({F3}[{I0} % 3] + 0)", "xp.where({M0}, {F0}, {F0})",
    ),
    F2: (*FLOATS, "{F23}.sum(axis=1)", "xp.stack([{F0}, {F0}])"),
    F3: (
        *FLOATS, "xp.where({M3}, {F3}, {F3})", "{F23}.sum(axis=0)", "{F23}.max(axis=0)",
        "{I3}.astype('float32')", "traced_index: ({F23}[{I0} % 2] + 0)", "{F3}.copy()",
        "comprehension: sum([e_ + {INT} for e_ in items])", "comprehension: sum(items)",
        "comprehension: xp.stack([e_ + {F0} for e_ in {F3}])", "({F3} + {F3}[::-1])",
        "comprehension: sum({F3} for i_ in range(2))", "{F3}[[2, 0, 1]]", "starred: first(*items)",
        "comprehension: sum((e_ for e_ in items if {COND}), {F3})",
    ),
    F6: (*FLOATS, "xp.concatenate([{F3}, {F3}])", "{F32}.reshape(-1)"),
    F23: (*FLOATS, "xp.where({M23}, {F23}, {F23})", "xp.stack([{F3}, {F3}])", "({F23} + {F3})"),
    F32: (*FLOATS,),
    I0: (
        "({I0} + {I0})", "({I0} - {INT})", "({I0} % 3)", "({I0} // 2)", "{I3}.max()", "({I0} * 2)",
        "({I3}[1] + 0)", "xp.argmax({F3}).astype('int32')", "xp.maximum({I0}, {I0})",
        "ternary: ({I0} if {COND} else {I0})", "({I3}[{INT} % 3] + 0)",
    ),
    I3: (
        "({I3} + {I3})", "({I3} - {I0})", "({I3} * {INT})", "({I3} % 3)", "({I3} // 2)",
        "xp.floor({F3}).astype('int32')", "{M3}.astype('int32')",
        "ternary: ({I3} if {COND} else {I3})",
    ),
    INT: (
        "({INT} + {INT})", "({INT} - {INT})", "({INT} * 2)", "({INT} % 5)", "({INT} // 2)",
        "len(items)", "abs({INT})", "min({INT}, {INT})", "max({INT}, 1)", "casts: int({I0})",
        "global: LIMIT", "global: STATE['count']", "global: COUNT", "attribute: box.n",
        "dict: table['n']", "{F3}.shape[0]", "ternary: ({INT} if {COND} else {INT})",
        "casts: int({BOOL})", "-{INT}", "boolean: ({INT} or 3)", "boolean: ({INT} and 2)",
        "casts: round({FLOAT})", "lambda: (lambda a_, b_=2: a_ + b_)({INT})",
    ),
    FLOAT: (
        "({FLOAT} + {FLOAT})", "({FLOAT} - {INT})", "({INT} * 0.5)", "abs({FLOAT})", "-{FLOAT}",
        "min({FLOAT}, 2.0)", "max({FLOAT}, -1.0)", "casts: float({F0})",
        "ternary: ({FLOAT} if {COND} else {FLOAT})", "casts: float({INT})",
    ),
    BOOL: (
        "({INT} > {INT})", "({INT} == {INT})", "(not {BOOL})", "boolean: ({BOOL} and {BOOL})",
        "boolean: ({BOOL} or {BOOL})", "({FLOAT} <= {FLOAT})", "({INT} in (1, 2, 3))",
        "('extra' in table)", "casts: bool({M0})", "(0 <= {INT} < 3)", "({INT} != 2)",
        "ternary: ({BOOL} if {COND} else {BOOL})", "isinstance({INT}, int)",
    ),
    TEXT: ("({TEXT} + 'a')[-3:]", "ternary: ({TEXT} if {COND} else {TEXT})", "casts: str({INT})"),
}  # fmt: skip

MASKS = (
    "({K} > {K})", "({K} <= {K})", "({K} > 0.5)", "({K} != 0)", "(({K} > 0) & ({K} < 2))",
    "(~({K} < {K}))",
)  # fmt: skip

TENSOR_CONDITIONS = (
    "{F0} > {F0}", "{F0} < 0.5", "{I0} % 2 == 0", "{I0} > {INT}", "({F3} > 0).any()",
    "({F3} > -1).all()", "-1 < {F0} < 3", "{F0} <= {FLOAT}", "{I0} == {I0}", "{M0}",
    "boolean: not {F0} > 1", "boolean: ({COND} and {F0} > 0)", "boolean: ({F0} > 0 or {COND})",
    "boolean: ({F0} >= 1 and {I0} < 2)", "{I0} in (1, 2)", "{I0} >= {F0}", "{I0}",
)  # fmt: skip
PYTHON_CONDITIONS = (
    "{BOOL}", "len(items) > 2", "items", "{INT} > 1", "{INT} % 2", "'extra' in table",
    "boolean: not {INT} > 1", "boolean: ({BOOL} and {COND})", "boolean: ({INT} > 1 or {COND})",
    "box.n > 1",
)  # fmt: skip

LITERALS: dict[Kind, tuple[str, ...]] = {
    INT: ("0", "1", "2", "3", "-1"),
    FLOAT: ("0.5", "1.5", "-0.25", "2.0"),
    BOOL: ("True", "False"),
    TEXT: ("'a'", "'bc'"),
    F0: ("xp.asarray(0.5, dtype='float32')", "{F3}.min()"),
    F2: ("xp.ones((2,), dtype='float32')", "{F3}[1:]"),
    F3: ("xp.zeros((3,), dtype='float32')", "xp.asarray([0.5, -1.0, 2.0], dtype='float32')"),
    F6: ("xp.ones((6,), dtype='float32')",),
    F23: ("xp.ones((2, 3), dtype='float32')",),
    F32: ("xp.zeros((3, 2), dtype='float32')",),
    I0: ("xp.asarray(2, dtype='int32')", "{I3}.min()"),
    I3: ("xp.asarray([1, -2, 3], dtype='int32')",),
}
CONTAINERS = re.compile(r"\b(items|rest|table|box|other)\b(?!\()(?<!\.items)")
HOLE = re.compile(r"\{(\w+)\}")


def allowed(writer: Writer, texts: tuple[str, ...]) -> list[str]:
    """The texts whose features the program has, and whose containers are there."""
    parts = [t.partition(": ") if re.match(r"[a-z_]+: ", t) else ("", "", t) for t in texts]
    kept = [text for feature, _, text in parts if not feature or feature in writer.features]
    return [text for text in kept if present(writer, text)]


def present(writer: Writer, text: str) -> bool:
    """Whether the containers that a text reads are there."""
    read = text.partition("rest = ")[2] or text.partition("other = ")[2] or text
    return all(name in writer.scope for name in CONTAINERS.findall(read))


def fill(writer: Writer, text: str, kind: Kind, depth: int) -> str:
    """A text with random operands."""
    return HOLE.sub(lambda found: _operand(writer, found[1], kind, depth), text)


def _operand(writer: Writer, code: str, kind: Kind, depth: int) -> str:
    return expression(writer, kind if code == "K" else CODES[code], depth - 1)


def expression(writer: Writer, kind: Kind, depth: int = 2) -> str:
    """A random expression of a kind."""
    if kind == CONDITION:
        return condition(writer, depth)
    if kind.family == "mask":
        return fill(writer, writer.rng.choice(MASKS), _operand_of_mask(kind), depth)
    names = writer.of(kind)
    if names and (depth <= 0 or writer.rng.random() < 0.35):
        return writer.rng.choice(names)
    if depth <= 0:
        return fill(writer, writer.rng.choice(LITERALS[kind]), kind, 0)
    if writer.has("views", 0.3) and (views := allowed(writer, VIEWS.get(kind, ()))):
        return view(writer, kind, writer.rng.choice(views), depth)
    called = call(writer, kind, depth) if writer.rng.random() < 0.2 else None
    if called is not None:
        return called
    return computed(writer, kind, depth)


def _operand_of_mask(kind: Kind) -> Kind:
    return Kind("tensor", "float32", kind.shape)


def view(writer: Writer, kind: Kind, text: str, depth: int) -> str:
    """A view of a value; NumPy has scalars where tensors have views without dimensions."""
    if kind.shape == () and "[" in text and "table" not in text:
        writer.numpy = False
    return fill(writer, text, kind, depth - 1)


def computed(writer: Writer, kind: Kind, depth: int) -> str:
    """A fresh value; now and then it is named where it stands."""
    text = writer.rng.choice(allowed(writer, COMPUTED[kind]))
    opaque = any(part in text for part in (" if ", "lambda", " for ", " and ", " or "))
    outer, writer.walrus = writer.walrus, writer.walrus and not opaque
    value = fill(writer, text, kind, depth)
    writer.walrus = outer
    if writer.walrus and writer.has("walrus", 0.15) and (names := writer.targets(kind)):
        name = writer.rng.choice(names)
        writer.scope.add(name)
        return f"({name} := {bounded(kind, value)})"
    return value


def call(writer: Writer, kind: Kind, depth: int) -> str | None:
    """A call of one of the program's functions that gives such a value."""
    found = [c for c in writer.callables if c.result == kind]
    if not found:
        return None
    chosen = writer.rng.choice(found)
    operands = [expression(writer, k, depth - 1) for k in chosen.parameters]
    return f"{chosen.name}({', '.join(operands)})"


def condition(writer: Writer, depth: int = 2) -> str:
    """A test, on tensor values or on Python values."""
    tensor = writer.has("tensor_conditions", 0.6) or "python_conditions" not in writer.features
    texts = TENSOR_CONDITIONS if tensor else PYTHON_CONDITIONS
    text = writer.rng.choice(allowed(writer, texts))
    outer, writer.walrus = writer.walrus, writer.walrus and " and " not in text
    writer.walrus = writer.walrus and " or " not in text and "<" not in text
    value = fill(writer, text, CONDITION, depth)
    writer.walrus = outer
    return value


def bounded(kind: Kind, value: str) -> str:
    """The value kept so small that arithmetic is exact, however often a loop repeats it."""
    if kind.family == "tensor":
        low, high = (-16, 16) if kind.dtype == "float32" else (-9, 9)
        return f"xp.clip({value}, {low}, {high})"
    return {INT: f"{value} % 7", FLOAT: f"{value} % 4.0"}.get(kind, value)


def small(writer: Writer, kind: Kind, depth: int = 1) -> str:
    """A value for an augmented assignment."""
    value = expression(writer, kind, depth)
    if kind.family == "tensor":
        return f"xp.clip({value}, -2, 2)"
    return {INT: f"({value}) % 3", FLOAT: f"({value}) % 2.0"}.get(kind, value)
