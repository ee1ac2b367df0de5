"""Random functions with nested control flow over a few integers."""

from __future__ import annotations

import random

NAMES = ("a", "b", "c", "d")
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


class Program:
    """Writes one random function ``f(a, b)``; it always ends."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.counters = 0
        self.lines: list[str] = []
        self.budget = 25

    def text(self) -> str:
        """The function's source."""
        self.lines = ["def f(a, b):", "    c = a - b", "    d = 1"]
        self.block("    ", 0, loops=0)
        self.lines.append("    return a, b, c, d")
        return "\n".join(self.lines) + "\n"

    # Expressions.

    def value(self, depth: int = 0) -> str:
        kind = self.random.random()
        if depth > 2 or kind < 0.35:
            return self.random.choice(NAMES)
        if kind < 0.55:
            return str(self.random.randint(-3, 7))
        if kind < 0.85:
            operator = self.random.choice(("+", "-", "*"))
            return f"({self.value(depth + 1)} {operator} {self.value(depth + 1)}) % 11"
        if kind < 0.95 or depth:
            body, test = self.value(depth + 1), self.test(depth + 1, False)
            return f"({body} if {test} else {self.value(depth + 1)})"
        return f"({self.random.choice(NAMES)} := {self.value(depth + 1)})"

    def test(self, depth: int = 0, walrus: bool = True) -> str:
        kind = self.random.random()
        if depth > 2 or kind < 0.5:
            return f"{self.plain()} {self.random.choice(_COMPARISONS)} {self.plain()}"
        if kind < 0.6:
            return f"{self.plain()} < {self.plain()} <= {self.plain()}"
        if kind < 0.7:
            return f"not ({self.test(depth + 1, walrus)})"
        if kind < 0.77 and walrus:
            name = self.random.choice(NAMES)
            return f"({name} := {self.value(2)}) > {self.plain()}"
        operator = self.random.choice(("and", "or"))
        return f"({self.test(depth + 1, walrus)} {operator} {self.test(depth + 1, walrus)})"

    def plain(self) -> str:
        """An operand of a comparison; never two constants."""
        return f"({self.random.choice(NAMES)} + {self.random.randint(-2, 4)})"

    # Statements.

    def block(self, indent: str, depth: int, loops: int) -> None:
        for _ in range(self.random.randint(1, 3)):
            if self.statement(indent, depth, loops):
                return

    def statement(self, indent: str, depth: int, loops: int) -> bool:
        """Write a statement; whether it is a jump, behind which nothing runs."""
        self.budget -= 1
        kind = self.random.random()
        if depth >= 4 or self.budget < 0:
            kind /= 2.5
        if kind < 0.25:
            name = self.random.choice(NAMES)
            operator = self.random.choice(("=", "=", "+=", "-="))
            self.lines.append(f"{indent}{name} {operator} {self.value()}")
        elif kind < 0.3:
            self.lines.append(f"{indent}{', '.join(NAMES[:2])} = {self.value()}, {self.value()}")
        elif kind < 0.4:
            return self.jump(indent, loops)
        elif kind < 0.65:
            self.condition(indent, depth, loops)
        elif kind < 0.75:
            self.while_loop(indent, depth, loops)
        elif kind < 0.87:
            self.for_loop(indent, depth, loops)
        elif kind < 0.93:
            self.matched(indent, depth, loops)
        else:
            self.guarded(indent, depth, loops)
        return False

    def jump(self, indent: str, loops: int) -> bool:
        choices = [f"return {self.value()}, {self.random.choice(NAMES)}, 0, 0"]
        if loops:
            choices += ["break", "continue"] * 2
        if len(indent) <= 4:
            return False
        self.lines.append(indent + self.random.choice(choices))
        return True

    def condition(self, indent: str, depth: int, loops: int) -> None:
        self.lines.append(f"{indent}if {self.test()}:")
        self.block(f"{indent}    ", depth + 1, loops)
        if self.random.random() < 0.3:
            self.lines.append(f"{indent}elif {self.test()}:")
            self.block(f"{indent}    ", depth + 1, loops)
        if self.random.random() < 0.5:
            self.lines.append(f"{indent}else:")
            self.block(f"{indent}    ", depth + 1, loops)

    def while_loop(self, indent: str, depth: int, loops: int) -> None:
        self.counters += 1
        counter = f"n{self.counters}"
        limit = self.random.randint(1, 4)
        self.lines.append(f"{indent}{counter} = a - a")
        self.lines.append(f"{indent}while {counter} < {limit} and {self.test(1)}:")
        self.lines.append(f"{indent}    {counter} += 1")
        self.loop_body(indent, depth, loops)

    def for_loop(self, indent: str, depth: int, loops: int) -> None:
        self.counters += 1
        name = self.random.choice((*NAMES, f"i{self.counters}"))
        items = self.random.choice(("range(3)", "(1, 2, 5)", "range(2)"))
        self.lines.append(f"{indent}for {name} in {items}:")
        self.loop_body(indent, depth, loops)

    def loop_body(self, indent: str, depth: int, loops: int) -> None:
        self.block(f"{indent}    ", depth + 1, loops + 1)
        if self.random.random() < 0.3:
            self.lines.append(f"{indent}else:")
            self.block(f"{indent}    ", depth + 1, loops)

    def matched(self, indent: str, depth: int, loops: int) -> None:
        self.lines.append(f"{indent}match {self.random.choice(NAMES)} % 3:")
        for case in ("0", "1 | 2 if " + self.test(1), "_"):
            self.lines.append(f"{indent}    case {case}:")
            self.block(f"{indent}        ", depth + 2, loops)

    def guarded(self, indent: str, depth: int, loops: int) -> None:
        self.lines.append(f"{indent}try:")
        self.block(f"{indent}    ", depth + 1, loops)
        self.lines.append(f"{indent}finally:")
        self.lines.append(f"{indent}    d += 1")


def defined(text: str, file: str) -> object:
    """The function of a program, whose source can be found."""
    import linecache

    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    names: dict[str, object] = {}
    exec(compile(text, file, "exec"), names)
    return names["f"]
