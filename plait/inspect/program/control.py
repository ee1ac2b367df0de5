"""Control flow of graphs as that of Python: ``if``, ``while``, ``for`` and calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from plait.ir import Graph, Node, TokenType, Value

if TYPE_CHECKING:
    from plait.inspect.program.scope import Scope

Args = Sequence[str]


def _tensors(values: Sequence[Value], texts: Args) -> list[str]:
    """The texts of those that are no tokens."""
    return [t for v, t in zip(values, texts, strict=True) if type(v.type) is not TokenType]


def _assign(scope: Scope, targets: Args, texts: Args) -> None:
    """Assign all at once; names that keep their values are left out."""
    pairs = [(a, b) for a, b in zip(targets, texts, strict=True) if a != b]
    if pairs:
        left, right = zip(*pairs, strict=True)
        scope.line(f"{', '.join(left)} = {', '.join(right)}")


def _cond(scope: Scope, node: Node, args: Args, results: Any, level: int) -> None:
    for head, region in zip((f"if {args[0]}:", "else:"), node.regions, strict=True):
        if head == "else:" and not results.texts and not region.nodes:
            continue
        with scope.indented(head):
            found = scope.region(region, args[1:], level + 1)
            _assign(scope, results.texts, _tensors(region.outputs, found))


def _carry(scope: Scope, body: Graph, first: int, args: Args) -> list[str]:
    """Variables for what a loop carries, set to what it starts with."""
    inputs = body.inputs[first : first + len(args)]
    names = [scope.names.take(v.name if _is_named(v) else "carry") for v in inputs]
    _assign(scope, _tensors(inputs, names), _tensors(inputs, args))
    return names


def _is_named(value: Value) -> bool:
    return bool(value.name) and not value.name.removeprefix("arg").isdecimal()


def _while(scope: Scope, node: Node, args: Args, results: Any, level: int) -> None:
    condition, body = node.regions
    count = node.attributes["num_consts"]
    consts = args[:count]
    carry = _carry(scope, body, count, args[count:])
    start = len(scope.lines)
    with scope.indented("while True:"):
        (go_on,) = scope.region(condition, [*consts, *carry], level + 1)
        if not _move_test(scope, start, go_on):
            with scope.indented(f"if not {go_on}:"):
                scope.line("break")
        found = scope.region(body, [*consts, *carry], level + 1)
        _assign(scope, _tensors(body.outputs, carry), _tensors(body.outputs, found))
    results.stand_for(_tensors(body.outputs, carry))


def _move_test(scope: Scope, start: int, go_on: str) -> bool:
    """Put a condition of one line into the head of its loop."""
    head, *rest = scope.lines[start:]
    code = [line.strip() for line in rest if not line.lstrip().startswith("#")]
    if len(code) > 1 or (code and not code[0].startswith(f"{go_on} = ")):
        return False
    test = code[0].partition(" = ")[2] if code else go_on
    indent = head[: len(head) - len(head.lstrip())]
    comments = [f"{indent}{line.strip()}" for line in rest if line.lstrip().startswith("#")]
    scope.lines[start:] = [*comments, f"{indent}while {test}:"]
    return True


def _scan(scope: Scope, node: Node, args: Args, results: Any, level: int) -> None:
    (body,) = node.regions
    count, carried = node.attributes["num_consts"], node.attributes["num_carry"]
    first = count + carried
    carry = _carry(scope, body, count, args[count:first])
    length = scope.size(node.attributes["length"])
    stacks = [scope.names.take("stack") for _ in body.outputs[carried:]]
    for name, value in zip(stacks, body.outputs[carried:], strict=True):
        shape = scope.shape((node.attributes["length"], *value.shape))
        scope.line(f"{name} = np.empty({shape}, {scope.dtype(value.dtype)})")
    trips = f"range({length})"
    index = scope.names.take("i")
    reverse = node.attributes.get("reverse", False)
    with scope.indented(f"for {index} in {f'reversed({trips})' if reverse else trips}:"):
        given = [*args[:count], *carry]
        for value, whole in zip(body.inputs[first:], args[first:], strict=True):
            given.append(scope.names.take(value.name if _is_named(value) else "item"))
            scope.line(f"{given[-1]} = {whole}[{index}]")
        found = scope.region(body, given, level + 1)
        for name, text in zip(stacks, found[carried:], strict=True):
            scope.line(f"{name}[{index}] = {text}")
        kept = body.outputs[:carried]
        _assign(scope, _tensors(kept, carry), _tensors(kept, found[:carried]))
    results.stand_for([*_tensors(body.outputs[:carried], carry), *stacks])


def _call(scope: Scope, node: Node, args: Args, results: Any, level: int) -> None:
    region = node.regions[0]
    call = scope.call(region, node.attributes.get("name") or region.name, args)
    scope.line(f"{results.target} = {call}" if results.texts else call)


CONTROL: dict[str, Callable[[Scope, Node, Args, Any, int], None]] = {
    "cond": _cond,
    "while": _while,
    "scan": _scan,
    "call": _call,
    "custom_vjp": _call,
}
