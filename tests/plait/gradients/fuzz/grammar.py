"""The text of random smooth programs on float64 tensors: branches, loops, writes, views.

Names tell what they hold: x, y, z are vectors of 3; u, v vectors of 2; m, w are 2 by 3; s, t, r
have no axes; n is a Python integer and c an integer tensor.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

NAMES = {
    "V": ("x", "y", "z"),
    "P": ("u", "v"),
    "M": ("m", "w"),
    "S": ("s", "t", "r"),
    "N": ("n",),
    "C": ("c",),
}
KIND = {name: kind for kind, names in NAMES.items() for name in names}

#: What gives each kind; capitals in braces are again expressions, names with ``:`` are present.
EXPRESSIONS: dict[str, tuple[str, ...]] = {
    "V": (
        "pl.tanh({V})", "pl.sin({V}) + {V}", "pl.tanh({V}) * {V}", "0.5 * {V} - {S}",
        "{V} / (2 + {V} ** 2)",
        "{V}[::-1]", "{M}[0]", "{M}[{N} % 2]", "{M}.sum(0)", "pl.concat([{V}[1:], {V}[:1]])",
        "pl.where({V} > {S}, {V}, pl.cos({V}))", "pl.cumsum({V})", "pl.softmax({V})",
        "pl.sort({V})", "pl.stack([{S}, {S}, 1.5])", "pl.exp(-({V} ** 2))", "pl.tanh({P}) @ {M}",
        "pl.maximum({V}, {V} * pl.cos({S}))", "pl.roll({V}, {N})", "{V}[[2, 0, 0]]", "{V}.copy()",
        "pl.remat(lambda a: pl.sin(a) * {S})({V})", "pl.concat([{P}, {S}[None]])",
    ),
    "P": (
        "{V}[1:]", "{V}[::2]", "{M}[:, 1]", "{M} @ pl.tanh({V})", "pl.cos({P}) * {S}", "{P}[::-1]",
        "pl.mean({M}, axis=1)", "{P} + pl.max({M}, axis=1)",
    ),
    "M": (
        "pl.outer(pl.tanh({P}), {V})", "pl.tanh({M} + {V})", "{M} * pl.cos({S})", "{M}[::-1]",
        "pl.stack([{V}, {V}])", "{M}.T.reshape(2, 3)", "pl.sin({M}) + {M}",
        "pl.where({C} % 2 == 0, {M}, {M} * pl.sin({V}))",
    ),
    "S": (
        "pl.sum({V})", "{V}[{N} % 3]", "{V}[{C} % 3]", "pl.tanh({V}) @ {V}", "pl.tanh({S})",
        "pl.tanh({S}) * {S}",
        "pl.mean({M})", "{M}[1, {N} % 3]", "0.3 * {S} + {S}", "pl.max({V})", "abs({S})",
        "pl.logsumexp({V})", "pl.sqrt(1 + {S} ** 2)", "{V}.at[0].get()", "pl.prod(pl.tanh({P}))",
        "pl.cos({S}) - {N}",
    ),
    "N": ("{N:} + 1", "{N:} // 2", "2", "len({V:})"),
    "C": ("{C:} + 1", "{C:} // 2", "pl.argmax({V})", "pl.asarray({N})"),
}  # fmt: skip

CONDITIONS = (
    "{S} > 0.3", "pl.sum({V}) < {S}", "{C} % 2 == 0", "{N:} > 1", "({V} > 0.4).any()",
    "{S} < 1 and {S} > -1", "not {C} > 1", "{C} == {N}",
)  # fmt: skip

WRITES = (
    "{V:}[1] = {S}", "{V:}[1:] = {P}", "{V:}[::2] += {P}", "{V:}[{N} % 3] *= pl.cos({S})",
    "{V:}[{C} % 3] = {S}", "{M:}[0] = {V}", "{M:}[:, 1] -= {P}", "{M:}[0][1:] = {P}",
    "{M:}.T[1] = {P}", "{M:}[{C} % 2] += {V}", "{V:} *= 0.5", "{V:}[{V} > {S}] = {S}",
    "{V:}[...] = {V}", "{M:}.reshape(6)[::2] = {V}", "np.add({V:}, {V}, out={V:})",
)  # fmt: skip
OTHERS = (
    "{V=} = {V:}", "{V=} = {M:}[1]", "{P=} = {V:}[1:]", "{P=} = {M:}[:, 0]", "{M=} = {M:}[::-1]",
    "items.append({V} * 1)", "{V=} = items[-1] * 1", "items[0] = {V} * 1", "items[-1] += {V}",
    "table['s'] = {S}", "{S=} = table['s'] * pl.cos({S})", "box.v = {V} * 1",
    "{V=} = box.v * pl.cos({S})",
    "box.v[0] = {S}", "{S=}, {V=} = {S} * 1, {V} * 1",
)  # fmt: skip

#: What stands for a name where there is none.
LACKING = {
    "V": "(x + 0)", "P": "x[1:]", "M": "pl.outer(pl.sin(x[:2]), x)", "S": "s", "N": "n",
    "C": "pl.asarray(n)",
}  # fmt: skip

PRELUDE = """\
class Box:
    def __init__(self, v):
        self.v = v
"""


@dataclass
class Writer:
    """A function that is being written."""

    rng: random.Random
    helpers: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    indent: int = 1
    scope: set[str] = field(default_factory=lambda: {"x", "m", "s", "n", "c"})
    depth: int = 0
    loops: int = 0
    budget: int = 16
    fresh: int = 0
    views: bool = True

    def emit(self, line: str) -> None:
        """Write one line."""
        self.lines.append("    " * self.indent + line)

    def fill(self, template: str, depth: int) -> str:
        """A template with its gaps filled."""
        made, rest = "", template
        while "{" in rest:
            before, _, rest = rest.partition("{")
            gap, _, rest = rest.partition("}")
            made += before + self.gap(gap, depth)
        return made + rest

    def gap(self, gap: str, depth: int) -> str:
        """A name, or an expression."""
        kind, mark = gap[0], gap[1:]
        if mark == "=":
            return self.rng.choice(NAMES[kind])
        present = sorted(n for n in self.scope if KIND[n] == kind)
        if mark == ":" or depth <= 0 or (present and self.rng.random() < 0.5):
            return self.rng.choice(present) if present else LACKING[kind]
        return f"({self.expression(kind, depth - 1)})"

    def expression(self, kind: str, depth: int = 1) -> str:
        """An expression of a kind."""
        if kind == "S" and self.helpers and self.rng.random() < 0.15:
            return self.fill(self.rng.choice(self.helpers) + "({V}, {S}, {N})", depth - 1)
        return self.fill(self.rng.choice(EXPRESSIONS[kind]), depth)

    def condition(self) -> str:
        """A test."""
        return self.fill(self.rng.choice(CONDITIONS), 0)


def assign(writer: Writer) -> None:
    """Give a name a value."""
    kind = writer.rng.choice("VVVPMMSSSNC")
    name = writer.rng.choice(NAMES[kind])
    text = writer.expression(kind)
    if kind in "VPMS" and writer.rng.random() < 0.4:
        text = f"pl.tanh({text})"
    elif kind in "VPMS" and not writer.views:
        text = f"({text}) * 1"
    writer.emit(f"{name} = {text}")
    writer.scope.add(name)


def change(writer: Writer) -> None:
    """Write into a tensor or a container, or make a view."""
    others = [t for t in OTHERS if writer.views or ":}" not in t]
    template = writer.rng.choice(WRITES if writer.rng.random() < 0.6 else others)
    while ":}" in template and any(
        f"{{{kind}:}}" in template and not any(KIND[n] == kind for n in writer.scope)
        for kind in "VPMS"
    ):
        template = writer.rng.choice(WRITES)
    line = writer.fill(template, 0)
    writer.emit(line)
    targets = line.partition(" = ")[0].split(", ")
    writer.scope |= {name for name in targets if name in KIND}


def block(writer: Writer, most: int = 3) -> None:
    """Some statements, indented."""
    writer.indent += 1
    writer.depth += 1
    for _ in range(writer.rng.randint(1, most)):
        statement(writer)
    writer.depth -= 1
    writer.indent -= 1


def branch(writer: Writer) -> None:
    """An if, with or without else."""
    writer.emit(f"if {writer.condition()}:")
    before = set(writer.scope)
    block(writer)
    writer.scope, after = set(before), writer.scope
    if writer.rng.random() < 0.6:
        writer.emit("else:")
        block(writer)
        writer.scope &= after
    else:
        writer.scope = before


def jump(writer: Writer) -> None:
    """Leave a loop or the function under a condition."""
    writer.emit(f"if {writer.condition()}:")
    ways = [f"return {writer.expression('S')}"]
    if writer.loops:
        ways += ["break", "continue", "break", "continue"]
    writer.emit(f"    {writer.rng.choice(ways)}")


def loop(writer: Writer) -> None:
    """A for or a while."""
    before = set(writer.scope)
    writer.fresh += 1
    fuel, form = f"f{writer.fresh}", writer.rng.random()
    if form < 0.5:
        tensor = writer.rng.random() < 0.7
        trips = writer.rng.randint(2, 4)
        writer.emit(f"{fuel} = " + (f"pl.asarray({trips})" if tensor else str(trips)))
        test = f" and {writer.condition()}" if writer.rng.random() < 0.5 else ""
        writer.emit(f"while {fuel} > 0{test}:")
        writer.emit(f"    {fuel} = {fuel} - 1")
    elif form < 0.65:
        writer.emit(f"for {fuel} in range({writer.fill('{N:}', 0)} % 4):")
    elif form < 0.75:
        writer.emit(f"for {fuel} in range({writer.fill('{C:}', 0)} % 4):")
    else:
        name, template = writer.rng.choice((("z", "{M:} * 1"), ("r", "{V:} + 0"), ("r", "{P} * 1")))
        writer.emit(f"for {name} in {writer.fill(template, 0)}:")
        writer.scope.add(name)
    writer.loops += 1
    block(writer)
    writer.loops -= 1
    writer.scope = before


def statement(writer: Writer) -> None:
    """One statement."""
    writer.budget -= 1
    chance = writer.rng.random()
    if writer.budget <= 0 or writer.depth >= 3 or chance < 0.5:
        (assign if writer.rng.random() < 0.5 else change)(writer)
    elif chance < 0.65:
        branch(writer)
    elif chance < 0.9 and writer.loops < 2:
        loop(writer)
    else:
        jump(writer)


def function(rng: random.Random, name: str, parameters: str, helpers: list[str]) -> str:
    """The text of one function that gives a number."""
    writer = Writer(rng, helpers, views=rng.random() < 0.4)
    if name != "main":
        writer.scope, writer.budget = {"x", "s", "n"}, 4
    writer.emit("items, table, box = [x * 2, x + 1], {'s': s + 0}, Box(x * 1)")
    for _ in range(rng.randint(2, 3) if name != "main" else rng.randint(4, 8)):
        statement(writer)
    rest = [f"pl.sum(pl.sin({n}))" for n in sorted(writer.scope) if KIND[n] in "VPMS"]
    rest += ["pl.sum(items[-1])", "table['s']", "pl.sum(pl.sin(box.v))"]
    writer.emit("return " + " + ".join(rest))
    return f"def {name}({parameters}):\n" + "\n".join(writer.lines) + "\n"


def generate(seed: int) -> str:
    """The text of the program of a seed; its ``main`` takes x, m, s, n and c."""
    rng = random.Random(seed)
    parts, helpers = [PRELUDE], list[str]()
    if rng.random() < 0.4:
        parts.append(function(rng, "helper", "x, s, n", []))
        helpers.append("helper")
    parts.append(function(rng, "main", "x, m, s, n, c", helpers))
    return "\n\n".join(parts)
