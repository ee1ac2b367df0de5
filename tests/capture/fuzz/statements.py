"""Random statements: assignments, writes, mutations, and blocks of them under control flow."""

from __future__ import annotations

from collections.abc import Callable

from tests.capture.fuzz.expressions import (
    VIEWS,
    allowed,
    bounded,
    condition,
    expression,
    fill,
    present,
    small,
    view,
)
from tests.capture.fuzz.grammar import (
    BOOL,
    BOX,
    CODES,
    DICT,
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
    LIST,
    TEXT,
    Kind,
    Writer,
)

VALUES = (F3, F3, F23, F0, F0, I0, I3, INT, INT, FLOAT, BOOL, F2, F6, F32)

# Each: what is written to, the kind of the value, and the names that must be there.
WRITES: tuple[tuple[str, Kind, tuple[Kind, ...]], ...] = (
    ("{F3}[1]", F0, (F3,)),
    ("{F3}[1:]", F2, (F3,)),
    ("{F3}[::2]", F2, (F3,)),
    ("{F3}[:]", F3, (F3,)),
    ("{F3}[...]", F0, (F3,)),
    ("{F3}[{INT} % 3]", F0, (F3, INT)),
    ("{F3}[::-1][1:]", F2, (F3,)),
    ("{F23}[0]", F3, (F23,)),
    ("{F23}[:, 1]", F2, (F23,)),
    ("{F23}[...]", F23, (F23,)),
    ("{F23}[{INT} % 2]", F3, (F23, INT)),
    ("{F23}[0][1:]", F2, (F23,)),
    ("{F23}.T[0]", F2, (F23,)),
    ("{F23}.reshape(6)[::2]", F3, (F23,)),
    ("{F23}[1:, ::2]", F2, (F23,)),
    ("{F6}[:3]", F3, (F6,)),
    ("{F32}[1]", F2, (F32,)),
    ("{I3}[0]", I0, (I3,)),
    ("{I3}[1:]", I0, (I3,)),
)
MASKED: tuple[tuple[str, Kind, tuple[Kind, ...]], ...] = (
    ("{F3}[{F3} > 0]", F0, (F3,)),
    ("{F3}[{F3} < {F0}]", F0, (F3, F0)),
    ("{F23}[{F23} <= 1]", F0, (F23,)),
    ("{F3}[[2, 0]]", F2, (F3,)),
    ("{I3}[{I3} > 1]", I0, (I3,)),
)

MUTATIONS: tuple[tuple[str, str], ...] = (
    ("attribute", "box.v = {F3:}"),
    ("attribute", "box.n = {INT:}"),
    ("attribute", "box.n += 1"),
    ("attribute", "box.s = {F0:}"),
    ("attribute", "box.v[1:] = {F2:}"),
    ("attribute", "box.v += {F3~}"),
    ("attribute", "box.items.append({F0:})"),
    ("method", "box.bump({F3~})"),
    ("method", "box.replace({F3:}, {INT:})"),
    ("list", "items.append({F3:})"),
    ("list", "items.append({F3})"),
    ("list", "items[0] = {F3:}"),
    ("list", "items[-1] += {F3~}"),
    ("list", "items[{INT} % len(items)] = {F3:}"),
    ("list", "items.insert(0, {F3:})"),
    ("list", "items.reverse()"),
    ("list", "items.extend([{F3:}])"),
    ("list", "items[:1] = [{F3:}, {F3:}]"),
    ("list", "items = [*items, {F3:}]"),
    ("list", "rest = list(items)"),
    ("list", "items = [e_ + 1 for e_ in items]"),
    ("dict", "table['v'] = {F3:}"),
    ("dict", "table['v'][0] = {F0:}"),
    ("dict", "table['v'] -= {F3~}"),
    ("dict", "table['n'] = {INT:}"),
    ("dict", "table['n'] += 1"),
    ("dict", "table['s'] = {F0:}"),
    ("dict", "table['s'] = table['s'] + {F0~}"),
    ("dict", "table.update(n={INT:}, s={F0:})"),
    ("dict", "table['extra'] = {INT:}"),
    ("dict", "table.pop('extra', None)"),
    ("dict", "table.setdefault('extra', {INT:})"),
    ("global", "STATE['count'] = {INT:}"),
    ("global", "STATE['count'] += 1"),
    ("global", "STATE['v'] = {F3:}"),
    ("global", "STATE['v'][1] = {F0:}"),
    ("global", "BIAS[0] = {F0:}"),
    ("global", "COUNT = {INT:}"),
    ("print", "print('a', {INT})"),
    ("print", "print('b', {F0})"),
    ("print", "print(f'c {{INT}} {{F3}}')"),
    ("print", "print('d', {BOOL}, {INT}, sep=', ')"),
    ("out", "np.add({F3!}, {F0}, out={F3!})"),
    ("alias", "rest = items"),
    ("alias", "rest = items"),
    ("list", "rest.append({F3:})"),
    ("list", "rest[0] = {F3:}"),
    ("alias", "other = box"),
    ("alias", "other = box"),
    ("attribute", "other.n += 1"),
    ("attribute", "other.v = {F3:}"),
    ("attribute", "other.v[0] = {F0:}"),
    ("alias", "{F3!} = box.v"),
    ("alias", "box.v = {F3!}"),
    ("alias", "items.append({F3!})"),
    ("alias", "table['v'] = {F3!}"),
    ("starred", "{F3!}, *rest = [*items, {F3:}]"),
    ("text", "word = {TEXT}"),
    ("raise", "{INT!} = {INT} // ({INT} % 4 + 1)"),
)  # fmt: skip


def assign(writer: Writer) -> None:
    """``name = expression``, or several at once."""
    kind = writer.rng.choice(VALUES)
    name, value = _target(writer, kind), bounded(kind, expression(writer, kind))
    if writer.rng.random() < 0.12:
        more = writer.rng.choice(VALUES)
        second = bounded(more, expression(writer, more))
        other = _target(writer, more)
        if other != name:
            writer.emit(f"{name}, {other} = {value}, {second}")
            writer.scope |= {name, other}
            return
    writer.emit(f"{name} = {value}")
    writer.scope.add(name)


def _target(writer: Writer, kind: Kind) -> str:
    names = writer.targets(kind)
    known = [n for n in names if n in writer.scope]
    return writer.rng.choice(known if known and writer.rng.random() < 0.7 else names)


def alias(writer: Writer) -> None:
    """Another name for a value, or for a part of it."""
    kind = writer.rng.choice((F3, F3, F23, F6, F2, F32))
    if not writer.targets(kind):
        return
    if names := writer.of(kind):
        value = writer.rng.choice(names)
    if not names or writer.has("views", 0.6):
        value = view(writer, kind, writer.rng.choice(allowed(writer, VIEWS[kind])), 1)
    name = writer.rng.choice(writer.targets(kind))
    writer.emit(f"{name} = {value}")
    writer.scope.add(name)


def augment(writer: Writer) -> None:
    """``x += expression``; without dimensions NumPy has scalars, where tensors are written to."""
    kind = writer.rng.choice((F3, F3, F23, I3, INT, INT, FLOAT, BOOL, F2, F0, I0))
    names = [n for n in writer.of(kind) if n in writer.assignable]
    if not names:
        return
    name = writer.rng.choice(names)
    operator = writer.rng.choice(("+=", "-=") if kind != BOOL else ("&=", "|=", "^="))
    value = small(writer, kind)
    if kind.family == "tensor" and kind.shape == () and not writer.has("zero_d"):
        writer.emit(f"{name} = {name} {operator[0]} {value}")
        return
    writer.numpy = writer.numpy and (kind.family != "tensor" or kind.shape != ())
    writer.emit(f"{name} {operator} {value}")


def write(writer: Writer, table: tuple[tuple[str, Kind, tuple[Kind, ...]], ...]) -> None:
    """``x[...] = value``."""
    text, kind, needed = writer.rng.choice(table)
    if not all(writer.of(k) for k in needed):
        return
    augmented = writer.has("augmented", 0.3) and kind != F0
    value = small(writer, kind) if augmented else bounded(kind, expression(writer, kind))
    target = fill(writer, text, kind, 1)
    if writer.has("traced_index", 0.2) and (names := writer.of(I0)) and "INT" in text:
        target = target.partition("[")[0] + f"[{writer.rng.choice(names)} % 2]"
    writer.emit(f"{target} {'+=' if augmented else '='} {value}")


def mutate(writer: Writer) -> None:
    """A change of a container, an attribute or a global; a print."""
    possible = [text for feature, text in MUTATIONS if feature in writer.features]
    possible = [t for t in possible if writer.globals or not t.startswith("COUNT")]
    possible = [t for t in possible if present(writer, t)]
    if not possible:
        return
    text = writer.rng.choice(possible)
    assigned = text.partition(" ")[0]
    name = assigned.rstrip(",")
    if name.isidentifier() and name in writer.kinds and name not in writer.assignable:
        return
    line = _filled(writer, text)
    if line is None:
        return
    writer.emit(line)
    if name.isidentifier() and name in writer.kinds:
        writer.scope.add(name)
    if "*rest" in text:
        writer.scope |= {name, "rest"} & set(writer.kinds)


def _filled(writer: Writer, text: str) -> str | None:
    """``{KIND:}`` is a bounded value, ``{KIND~}`` a small one, ``{KIND!}`` a name of one."""
    while "!}" in text:
        start = text.rindex("{", 0, text.index("!}"))
        kind = CODES[text[start + 1 : text.index("!}")]]
        names = [n for n in writer.of(kind) if n in writer.assignable]
        if not names:
            return None
        text = text[:start] + writer.rng.choice(names) + text[text.index("!}") + 2 :]
    for mark, made in ((":}", _bounded), ("~}", small)):
        while mark in text:
            end = text.index(mark)
            start = text.rindex("{", 0, end)
            value = made(writer, CODES[text[start + 1 : end]])
            text = text[:start] + value + text[end + 2 :]
    if "{{" in text:
        return _formatted(writer, text)
    return fill(writer, text, INT, 1)


def _bounded(writer: Writer, kind: Kind) -> str:
    return bounded(kind, expression(writer, kind))


def _formatted(writer: Writer, text: str) -> str | None:
    """An f-string of names."""
    for code, kind in (("{{INT}}", INT), ("{{F3}}", F3)):
        names = writer.of(kind)
        if not names:
            return None
        text = text.replace(code, "{" + writer.rng.choice(names) + "}")
    return text


def jump(writer: Writer) -> bool:
    """A break, continue, return or raise; whether there was one."""
    choices = []
    if writer.loops and not writer.in_finally:
        choices += [c for c in ("break", "continue") if writer.has(c)]
    if writer.has("return") and writer.returns and not writer.in_finally:
        choices.append("return")
    if writer.has("raise", 0.2):
        choices.append("raise")
    if not choices:
        return False
    chosen = writer.rng.choice(choices)
    if chosen == "return":
        give(writer)
    elif chosen == "raise":
        writer.emit(writer.rng.choice(("raise ValueError('bad')", "raise KeyError('missing')")))
    else:
        writer.emit(chosen)
    return True


def give(writer: Writer) -> None:
    """The return statement."""
    values = [expression(writer, kind, 1) for kind in writer.returns]
    writer.emit(f"return {', '.join(values)}")


def fail(writer: Writer) -> None:
    """A statement that may raise."""
    options = []
    risky = [text for text in RISKY if present(writer, text)]
    if writer.has("assert"):
        options.append(f"assert {condition(writer)}, 'not so'")
        options.append(f"assert {expression(writer, F0)} < 20")
    if writer.has("raise", 0.3):
        options.append(f"{_target(writer, INT)} = {writer.rng.choice(risky)}")
    if not options:
        return
    line = fill(writer, writer.rng.choice(options), INT, 1)
    writer.emit(line)
    name = line.partition(" = ")[0]
    if name in writer.kinds:
        writer.scope.add(name)


RISKY = ("{INT} // ({INT} % 3)", "table['absent'] + {INT}", "len(items[{INT}])", "{INT} % {INT}")


def simple(writer: Writer) -> None:
    """One simple statement."""
    options: list[tuple[int, Callable[[Writer], None]]] = [(4, assign)]
    options += [(2, alias)] * writer.has("alias")
    options += [(2, augment)] * writer.has("augmented")
    options += [(3, lambda w: write(w, WRITES))] * writer.has("item_write")
    options += [(2, lambda w: write(w, MASKED))] * writer.has("mask_write")
    options += [(4, mutate), (1, fail)]
    weights = [weight for weight, _ in options]
    writer.rng.choices([made for _, made in options], weights)[0](writer)


__all__ = ["BOX", "DICT", "I0", "LIST", "TEXT", "assign", "give", "jump", "simple"]
