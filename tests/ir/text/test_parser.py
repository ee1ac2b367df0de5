"""Bad text: every fault is a ParseError at its line and column, and says what was expected."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from plait import ir
from plait.ir import ops, parse_type
from plait.ir.errors import ParseError, VerificationError
from tests.graphs import Options, seeded_graph

HEAD = "graph f(%x: f32[2], %p: bool[]) -> (f32[2]) {\n"


def body(text: str) -> str:
    return f"{HEAD}{text}\n}}\n"


CASES = [
    ("", 1, 1, "expected 'graph', found the end of the text"),
    ("module f", 1, 1, "expected 'graph', found 'module'"),
    ("graph", 1, 6, "expected the graph's name, found the end"),
    ("graph f", 1, 8, r"expected '\(' and the inputs"),
    ("graph f(x)", 1, 9, "expected an input such as %x, found 'x'"),
    ("graph f(%x f32[2])", 1, 12, "expected ':' and a type after an input"),
    ("graph f(%x: 3)", 1, 13, r"expected a type such as f32\[8,16\], found '3'"),
    ("graph f(%x: f31[2])", 1, 13, "unknown dtype 'f31'"),
    ("graph f(%x: f32)", 1, 13, "a type needs a shape"),
    ("graph f(%x: f32[2,])", 1, 13, "expected a size or a name for a dimension"),
    ("graph f(%x: f32[2] %y: f32[2])", 1, 20, r"expected ',' or '\)' after an input, found %y"),
    ("graph f(%x: f32[2], %x: f32[2])", 1, 21, "%x is defined already"),
    ("graph f() (f32[2])", 1, 11, "expected '->' and the output types"),
    ("graph f() -> f32[2]", 1, 14, r"expected '\(' and the output types"),
    ("graph f() -> () return", 1, 17, "expected '{' before the graph's nodes"),
    ("graph f() -> () { return } x", 1, 28, "expected the end of the text, found 'x'"),
    ("graph f() -> () { return", 1, 25, "expected ',' or '}' after an output|a value such as"),
    (HEAD, 2, 1, "expected an op, a result such as %0, or 'return', found the end"),
    (body("  return"), 1, 37, "returns 0 value"),
    (body("  return %x, %x"), 1, 37, "returns 2 value.*first line says 1"),
    (body("  return %p"), 1, 37, r"output 0 is bool\[\], but the graph's first line says f32\[2\]"),
    (body("  return %y"), 2, 10, "%y is not defined"),
    (body("  return x"), 2, 10, "expected a value such as %x, found 'x'"),
    (body("  %0: f32[2] = tahn(%x)"), 2, 16, "unknown op 'tahn'; did you mean .*tanh"),
    (body("  %0: f32[2] tanh(%x)"), 2, 14, "expected '=' after the results, found 'tanh'"),
    (body("  %0 = tanh(%x)"), 2, 6, "expected ':' and a type after a result"),
    (
        body("  %0: f32[3] = tanh(%x)"),
        2,
        7,
        r"tanh: result 0 is f32\[2\], but the text says f32\[3\]",
    ),
    (body("  %0: f32[2], %1: f32[2] = tanh(%x)"), 2, 7, r"tanh has 1 result\(s\), found 2"),
    (body("  tanh(%x)"), 2, 3, r"tanh has 1 result\(s\), found 0"),
    (body("  %0: f32[2] = tanh(%p)"), 2, 16, r"tanh: expected .* dtype, got bool.*\(bool\[\]\)"),
    (body("  %0: f32[2] = add(%x)"), 2, 16, "add: expected 2 operand.*got 1"),
    (body("  %0: f32[2] = tanh(%x) {a = 1}"), 2, 25, "op tanh has no attribute 'a'; it has no att"),
    (body("  %0: f32[2] = concat(%x)"), 2, 16, "op concat needs the attribute 'axis'"),
    (body("  %0: f32[2] = concat(%x) {axes = 1}"), 2, 27, "has no attribute 'axes'; it has axis"),
    (body('  %0: f32[2] = concat(%x) {axis = "a"}'), 2, 16, "concat: "),
    (body("  %0: f32[2] = concat(%x) {axis = 0, axis = 0}"), 2, 38, "'axis' is given twice"),
    (body("  %0: f32[2] = concat(%x) {axis 0}"), 2, 33, "expected '=' after the name of an attri"),
    (body("  %0: f32[2] = concat(%x) {axis = }"), 2, 35, "expected a value, found '}'"),
    (body("  %0: f32[2] = concat(%x) {axis = foo}"), 2, 35, "expected a value, found 'foo'"),
    (body("  %0: f32[2] = concat(%x) {axis = 0x1}"), 2, 38, "expected ':' and a type"),
    (body("  %x: f32[2] = tanh(%x)"), 2, 3, "%x is defined already"),
    (body('  %0: f32[2] = tanh(%x) @ "a.py" 3'), 2, 34, "expected ':' and a line number"),
    (body('  %0: f32[2] = tanh(%x) @ "a.py":1.5'), 2, 34, "expected a line number"),
    (body("  %0: f32[2] = tanh(%x) @ a.py"), 2, 27, "expected a file's name in quotes"),
    (body('  %0: f32[2] = tanh(%x) @ "a.py'), 2, 27, "a string that does not end on its line"),
    (body('  %0: f32[2] = tanh(%x) @ "\\q":1'), 2, 28, r"unknown escape \\q"),
    (body('  %0: f32[2] = tanh(%x) @ "\\UFFFFFFFF":1'), 2, 28, "unknown escape"),
    (body("  %0: f32[2] = tanh(%x) !"), 2, 25, "unexpected character '!'"),
    (body("  %0: f32[2] = cond(%p, %x)"), 2, 16, r"cond: expected 2 region\(s\)"),
    (
        body("  %0: f32[2] = cond(%p, %x) then(%a: f32[2]) { return %x }"),
        2,
        55,
        "%x is not defined in this region; pass it to the region as an operand",
    ),
    (body("  %0: f32[2] = constant() {value = 1.5}"), 2, 16, "constant: "),
]


@pytest.mark.parametrize(("text", "line", "column", "says"), CASES, ids=[c[3][:30] for c in CASES])
def test_faults_have_a_place(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(ParseError, match=says) as caught:
        ir.parse(text, "g.ir")
    assert (caught.value.file, caught.value.line, caught.value.column) == ("g.ir", line, column)
    assert str(caught.value).startswith(f"g.ir:{line}:{column}: error: ")


LITERALS = [
    ("300: i8[]", "300 does not fit int8"),
    ("-1: u8[]", "-1 does not fit uint8"),
    ("1.5: i8[]", "expected an integer, found 1.5"),
    ("2: bool[]", "expected true or false, found 2"),
    ("true: f32[]", "expected a number, found true"),
    ("1e39: f32[]", "1e39 does not fit float32"),
    ("0x1ffffffff: f32[]", "more bits than float32"),
    ("[1.0]: f32[2]", r"shape \(1,\) do not make a f32\[2\]"),
    ("[[1.0], 2.0]: f32[2]", "rows of a list differ in shape"),
    ("[1.0, 2.0]: c64[1]", "do not make"),
    ("(1.0, 2.0): f32[]", "do not make"),
    ("[1.0 2.0]: f32[2]", r"expected ',' or '\]' in a list"),
    ("[foo]: f32[1]", "expected a number, true or false, found 'foo'"),
    ("[]: f32[0,999999999999999999,999999999999999999]", "too large"),
    ("1.0: f32[B]", "cannot be of type"),
    ("1.0: token", "cannot be of type"),
    ("[1.0", r"expected ',' or '\]' in a list, found the end"),
    ("@c: f32[2]", "constant @c is not in the text"),
    ("@given: f32[2]", r"constant @given is i64\[3\], but the text says f32\[2\]"),
    ("1" * 1001, "a number of more than 1000 characters"),
    ("1" * 999 + ": i64[]", "does not fit int64"),
    ("[" * 200, "nested deeper than 100 levels"),
    ("(" * 200, "nested deeper than 100 levels"),
    ('bytes "\\u0100"', "beyond"),
    ("float(true)", "expected a number"),
    ("complex(1.0)", "expected ',' between real and imaginary part"),
]


@pytest.mark.parametrize(("literal", "says"), LITERALS, ids=[x[0][:20] for x in LITERALS])
def test_faults_of_values(literal: str, says: str) -> None:
    text = f"graph f() -> () {{\n  %0: f32[2] = constant() {{value = {literal}"
    with pytest.raises(ParseError, match=says) as caught:
        ir.parse(text, constants={"given": np.arange(3)})
    assert caught.value.line == 2


def test_nested_regions_are_bounded() -> None:
    deep = "%0: f32[2] = call(%x) callee(%x: f32[2]) {" * 50_000
    with pytest.raises(ParseError, match="nested deeper than 100 levels"):
        ir.parse(HEAD + deep)
    graph = ir.region("f", [parse_type("f32[2]")], lambda x: x)
    for _ in range(99):
        inner = graph
        graph = ir.region("f", inner.input_types, lambda x: ops.call(x, regions=(inner,)))  # noqa: B023
    assert ir.structural_equal(ir.parse(str(graph)), graph)


def test_a_full_stack_is_a_parse_error() -> None:
    def dive(text: str, depth: int) -> Any:
        return dive(text, depth - 1) if depth else ir.parse(text)

    deep = HEAD + "%0: f32[2] = call(%x) callee(%x: f32[2]) {" * 90
    messages: list[str] = []
    for depth in range(100, 1000, 20):
        try:
            dive(deep, depth)
        except ParseError as error:
            messages.append(error.message)
        except RecursionError:
            break
    assert "nested too deeply for this stack" in messages


def test_comments_and_free_layout() -> None:
    text = "# one\ngraph f(\n%x: f32[ 2 ]) -> (f32[2]) {%a:f32[2]=tanh(%x)# two\nreturn %a}#"
    assert ir.print_graph(ir.parse(text)) == (
        "graph f(%x: f32[2]) -> (f32[2]) {\n  %0: f32[2] = tanh(%x)\n  return %0\n}"
    )


def test_a_region_op_before_an_op_without_results() -> None:
    nothing = ir.region("callee", [], lambda: None)

    def function(p: Any) -> None:
        ops.call(regions=(nothing,), name="n")
        ops.check(p, error="CheckError", message="")
        ops.call(regions=(nothing,), name="m")
        ops.call(regions=(nothing,))

    graph = ir.region("f", [parse_type("bool[]")], function)
    assert ir.structural_equal(ir.parse(str(graph)), graph)


def test_functions_are_given_or_missing() -> None:
    attributes: Any = {"function": len, "result_types": ()}
    graph = ir.region("f", [ir.token], lambda t: ops.callback(t, **attributes))
    text = str(graph)
    assert 'function = python "builtins:len"' in text
    assert ir.structural_equal(ir.parse(text, functions={"builtins:len": len}), graph)
    missing = ir.parse(text)
    assert str(missing) == text
    assert not ir.structural_equal(missing, graph)
    with pytest.raises(ir.errors.GraphError, match="'builtins:len', which its text only names"):
        ir.evaluate(missing, [ir.token])


PIECES = [
    *("(", ")", "{", "}", "[", "]", ",", ":", "=", "->", "@", "%", '"', "#", "?", "-", "\\"),
    *("%0", "%x", "f32[2]", "f32[", "return", "graph", "inf", "nan", "0x", "1e999", "none", "@c"),
    *(
        "tanh(",
        "cond(",
        "9" * 30,
        "\x00",
        "é",
        "\ud800",
        "\n",
        " in ",
        "token",
        "then(%a: f32[2]) {",
    ),
]


def mutate(text: str, source: random.Random) -> str:
    """One random edit: cut, repeat, delete, insert, swap or replace."""
    at, other = sorted(source.randrange(len(text) + 1) for _ in range(2))
    short = min(other, at + source.randrange(12))
    piece = source.choice(PIECES)
    return source.choice(
        (
            text[:at],
            text[:at] + text[other:],
            text[:at] + text[short:],
            text[:at] + piece + text[at:],
            text[:at] + piece + text[short:],
            text[:short] + text[at:],
            text[:at] + text[short:other] + text[at:short] + text[other:],
            text[:at] + str(source.randrange(-3, 99)) + text[at + 1 :],
        )
    )


@pytest.mark.parametrize("seed", range(30))
def test_edited_texts_parse_or_fail_cleanly(seed: int) -> None:
    source = random.Random(seed)
    graph = seeded_graph(seed, 12, Options(regions=True, effects=True))
    text = ir.print_graph(graph, max_elements=None)
    places: list[ParseError | VerificationError] = []
    for _ in range(40):
        edited = text
        for _ in range(source.randint(1, 3)):
            edited = mutate(edited, source)
        try:
            found = ir.verify(ir.parse(edited))
        except (ParseError, VerificationError) as error:
            places.append(error)
            check_place(error, edited)
        else:
            assert ir.structural_equal(ir.parse(ir.print_graph(found, max_elements=None)), found)
    assert places


def check_place(error: ParseError | VerificationError, text: str) -> None:
    """The line and column are in the text."""
    if isinstance(error, ParseError):
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
