"""Random blocks: conditionals, loops, try, with, match and inner functions."""

from __future__ import annotations

from collections.abc import Callable

from tests.capture.fuzz import grammar
from tests.capture.fuzz.expressions import condition, expression, present
from tests.capture.fuzz.grammar import F0, F3, I0, INT, NAMES, Kind, Writer
from tests.capture.fuzz.statements import give, jump, simple

MAX_DEPTH = 3
MAX_LOOPS = 2


def block(writer: Writer, most: int = 4) -> bool:
    """Some statements, indented; whether control never reaches their end."""
    writer.indent += 1
    writer.depth += 1
    start = len(writer.lines)
    jumped = any(statement(writer) for _ in range(writer.rng.randint(1, most)))
    if not jumped and writer.rng.random() < 0.15:
        jumped = jump(writer)
    if len(writer.lines) == start:
        writer.emit("pass")
    writer.depth -= 1
    writer.indent -= 1
    return jumped


def statement(writer: Writer) -> bool:
    """One statement; whether control never reaches what follows it."""
    writer.budget -= 1
    if writer.budget > 0 and writer.depth < MAX_DEPTH and writer.rng.random() < 0.45:
        made = _compound(writer)
        if made is not None:
            return made(writer)
    simple(writer)
    return False


def _compound(writer: Writer) -> Callable[[Writer], bool] | None:
    options: list[Callable[[Writer], bool]] = [branches, branches]
    if writer.loops < MAX_LOOPS:
        for feature, made in LOOPS:
            options += [made] * writer.has(feature)
    if writer.loops or writer.has("return"):
        options += [guarded_jump] * 2
    for feature, made in OTHERS:
        options += [made] * writer.has(feature)
    return writer.rng.choice(options)


def branches(writer: Writer) -> bool:
    """An if with or without elif and else."""
    writer.emit(f"if {condition(writer)}:")
    before = set(writer.scope)
    ends, jumps = [], []

    def branch() -> None:
        writer.scope = set(before)
        jumps.append(block(writer))
        ends.append(writer.scope)

    branch()
    if writer.has("else", 0.3):
        outer, writer.walrus = writer.walrus, False
        writer.scope = set(before)
        writer.emit(f"elif {condition(writer)}:")
        writer.walrus = outer
        branch()
    if writer.has("else", 0.6):
        writer.emit("else:")
        branch()
    else:
        ends.append(before)
        jumps.append(False)
    writer.scope = _joined(writer, before, ends, jumps)
    return all(jumps)


def _joined(writer: Writer, before: set[str], ends: list[set[str]], jumps: list[bool]) -> set[str]:
    """What is assigned after branches; sometimes, also what may be."""
    reached = [end for end, jumped in zip(ends, jumps, strict=True) if not jumped]
    if not reached:
        return before
    if writer.has("unbound", 0.3):
        return set.union(*reached)
    return set.intersection(*reached)


def guarded_jump(writer: Writer) -> bool:
    """``if condition: break`` and the like."""
    line = f"if {condition(writer)}:"
    before = set(writer.scope)
    writer.emit(line)
    writer.indent += 1
    if not jump(writer):
        writer.emit("pass")
    writer.indent -= 1
    writer.scope = before
    return False


def _looped(writer: Writer, names: dict[str, Kind], first: str = "") -> None:
    """The body of a loop, its else clause, and what is assigned after it."""
    before = set(writer.scope)
    writer.kinds.update(names)
    writer.scope |= set(names)
    writer.loops += 1
    if first:
        writer.emit("    " + first)
    block(writer)
    writer.loops -= 1
    after = before | ({*names} & writer.scope if writer.has("unbound", 0.1) else set())
    writer.scope = set(before)
    if writer.has("else", 0.25):
        writer.emit("else:")
        block(writer, 2)
    writer.scope = after


def for_range(writer: Writer) -> bool:
    """A loop over a range of Python numbers, or of a tensor."""
    name = writer.new("i")
    stop = writer.rng.choice(("3", "4", "1, 4", "3, 0, -1", "{n} % 4", "len(items[:3])", "{c} % 4"))
    for mark, kind in (("{n}", INT), ("{c}", I0)):
        if mark in stop:
            stop = stop.replace(mark, expression(writer, kind, 1))
    if not present(writer, stop):
        stop = "2"
    writer.emit(f"for {name} in range({stop}):")
    _looped(writer, {name: INT})
    return False


def for_tensor(writer: Writer) -> bool:
    """A loop over the rows of a tensor."""
    row, element, number = writer.new("r"), writer.new("e"), writer.new("i")
    outer, writer.walrus = writer.walrus, False
    matrix, vector = expression(writer, grammar.F23, 1), expression(writer, F3, 1)
    integers = expression(writer, grammar.I3, 1)
    writer.walrus = outer
    head, names = writer.rng.choice(
        (
            (f"{row} in {matrix}", {row: F3}),
            (f"{element} in ({vector} + 0)", {element: F0}),
            (f"{number}, {row} in enumerate({matrix})", {number: INT, row: F3}),
            (f"{element}, {row} in zip(({integers} * 1), ({vector} + 0))", {element: I0, row: F0}),
            (f"{row} in reversed({matrix})", {row: F3}),
        )
    )
    writer.emit(f"for {head}:")
    _looped(writer, names)
    return False


def for_list(writer: Writer) -> bool:
    """A loop over a Python container, or what makes values on the way."""
    name, number = writer.new("e"), writer.new("i")
    options: list[tuple[str, dict[str, Kind]]] = [
        (f"{number} in (2, 0, 1)", {number: INT}),
        (f"{name} in ({expression(writer, F3, 0)}, {expression(writer, F3, 0)})", {name: F3}),
    ]
    if "items" in writer.scope:
        options += [
            (f"{name} in items[:3]", {name: F3}),
            (f"{number}, {name} in enumerate(list(items)[-2:])", {number: INT, name: F3}),
            (f"{name}, {number} in zip(list(items), (1, 2))", {number: INT, name: F3}),
        ]
    if "table" in writer.scope:
        options.append((f"{name} in sorted(table)", {name: grammar.TEXT}))
    if writer.has("generator"):
        options.append((f"{name} in made({expression(writer, F3, 0)}, 3)", {name: F3}))
    head, names = writer.rng.choice(options)
    writer.emit(f"for {head}:")
    _looped(writer, names)
    return False


def while_loop(writer: Writer) -> bool:
    """A while that ends after some trips at most; its counter is a number or a tensor."""
    fuel = writer.new("f")
    tensor = writer.has("tensor_conditions", 0.5)
    trips = writer.rng.choice(("2", "3", "4"))
    start = f"xp.asarray({trips}, dtype='int32')" if tensor else trips
    writer.emit(f"{fuel} = {start}")
    step = f"{fuel} = {fuel} - 1"
    form = writer.rng.random()
    outer, writer.walrus = writer.walrus, False
    test = condition(writer)
    writer.walrus = outer
    if form < 0.25:
        writer.emit(f"while {fuel} > 0:")
    elif form < 0.5:
        writer.emit(f"while {fuel} > 0 and {test}:" if form < 0.4 else f"while {test} and {fuel}:")
    elif form < 0.7 and writer.has("break"):
        writer.emit("while True:")
        writer.emit(f"    if {fuel} <= 0:")
        writer.emit("        break")
    elif form < 0.8 and writer.has("walrus"):
        writer.emit(f"while ({fuel} := {fuel} - 1) >= 0:")
        step = ""
    else:
        writer.emit(f"while ({test}) and {fuel} > 0:")
    _looped(writer, {}, step)
    return False


def finally_(writer: Writer) -> bool:
    """try and finally."""
    before = set(writer.scope)
    writer.emit("try:")
    jumped = block(writer, 3)
    after, writer.scope = writer.scope, before
    writer.emit("finally:")
    inside, writer.in_finally = writer.in_finally, True
    writer.indent += 1
    for _ in range(writer.rng.randint(1, 2)):
        writer.emit("pass")
        simple(writer)
    writer.indent -= 1
    writer.in_finally = inside
    writer.scope |= after
    return jumped


def except_(writer: Writer) -> bool:
    """try with a handler, with something to handle."""
    before = set(writer.scope)
    writer.emit("try:")
    jumped = block(writer, 2)
    if not jumped and writer.rng.random() < 0.6:
        writer.emit(f"    if {condition(writer)}:")
        writer.emit(f"        raise {writer.rng.choice(('ValueError', 'KeyError'))}('caught')")
    after, writer.scope = writer.scope, set(before)
    writer.emit(
        f"except {writer.rng.choice(('ValueError', '(ValueError, KeyError)', 'Exception'))}:"
    )
    handled = block(writer, 2)
    writer.scope = before & after & writer.scope
    return jumped and handled


def with_(writer: Writer) -> bool:
    """A context manager of the program's own."""
    writer.emit(f"with Scope({expression(writer, INT, 0)}):")
    return block(writer, 3)


def match_(writer: Writer) -> bool:
    """A match on a number."""
    writer.emit(f"match {expression(writer, writer.rng.choice((INT, INT, I0)), 1)}:")
    before = set(writer.scope)
    ends, jumps = [], []
    writer.indent += 1
    for case in ("0", "1 | 2", "_"):
        writer.scope = set(before)
        writer.emit(f"case {case}:")
        jumps.append(block(writer, 2))
        ends.append(writer.scope)
    writer.indent -= 1
    writer.scope = _joined(writer, before, ends, jumps)
    return all(jumps)


def closure(writer: Writer) -> bool:
    """An inner function, which may change a number of the outer one."""
    if writer.depth or writer.indent > 2:
        return False
    name = writer.new("inner")
    numbers = [n for n in writer.of(INT) if n in writer.assignable]
    writer.emit(f"def {name}(a_):")
    own = {f"{n}_": k for n, k in NAMES.items()}
    inner = Writer(writer.rng, writer.features, (), writer.callables, indent=writer.indent + 1)
    inner.kinds = {**writer.kinds, **own, "a_": F3}
    inner.assignable = dict(own)
    inner.scope = {*writer.scope, "a_"}
    inner.budget, inner.depth, inner.globals = 2, MAX_DEPTH - 1, False
    if numbers and writer.has("closure", 0.6):
        changed = writer.rng.choice(numbers)
        inner.emit(f"nonlocal {changed}")
        inner.assignable[changed] = INT
        inner.emit(f"{changed} = ({changed} + 1) % 9")
    for _ in range(writer.rng.randint(0, 2)):
        simple(inner)
    inner.returns = (F3,)
    give(inner)
    writer.lines += inner.lines
    writer.numpy = writer.numpy and inner.numpy
    writer.callables = [*writer.callables, grammar.Callable(name, (F3,), F3)]
    return False


LOOPS: tuple[tuple[str, Callable[[Writer], bool]], ...] = (
    ("while", while_loop),
    ("for_range", for_range),
    ("for_tensor", for_tensor),
    ("for_list", for_list),
)
OTHERS: tuple[tuple[str, Callable[[Writer], bool]], ...] = (
    ("finally", finally_),
    ("except", except_),
    ("with", with_),
    ("match", match_),
    ("closure", closure),
)
