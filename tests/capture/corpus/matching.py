"""``match`` on values, structures and classes."""

from __future__ import annotations

from dataclasses import dataclass

from tests.capture.entries import args, entry, f64, i32


@entry(i32(0), i32(1), i32(2), i32(9), 1, 9)
def value_patterns(x):
    match x:
        case 0:
            return x + 10
        case 1 | 2:
            return x + 20
        case _:
            return x * 2


@entry(
    args(("move", f64(1.0), f64(2.0))),
    args(("scale", f64(3.0))),
    args(("scale", f64(-3.0))),
    args(("stop",)),
    args(7),
    widens=True,
)
def sequence_patterns(command):
    match command:
        case ("move", dx, dy):
            return dx + dy
        case ("scale", factor) if factor > 0:
            return factor * 2
        case (str(), *rest):
            return len(rest)
        case _:
            return None


@dataclass
class Leaf:
    value: object


@dataclass
class Sum:
    left: object
    right: object


@dataclass
class Product:
    left: object
    right: object


@entry(
    args(Sum(Leaf(f64(2.0)), Product(Leaf(f64(3.0)), Leaf(f64(4.0))))),
    args(Leaf(f64(-1.0))),
    args(Product(Leaf(0), Leaf(f64(2.0)))),
)
def evaluate(expression):
    match expression:
        case Leaf(value):
            return value if value > 0 else value * 0
        case Sum(left, right):
            return evaluate(left) + evaluate(right)
        case Product(left=Leaf(value=int()), right=_):
            return 0
        case Product(left, right):
            return evaluate(left) * evaluate(right)


@entry(
    args({"kind": "circle", "radius": f64(2.0)}),
    args({"kind": "square", "side": f64(-3.0), "color": "red"}),
    args({}),
)
def mapping_patterns(shape):
    match shape:
        case {"kind": "circle", "radius": radius}:
            return 3.0 * radius**2
        case {"kind": "square", "side": side, **rest}:
            return (side if side > 0 else -side) ** 2, rest
        case _:
            return 0.0


@entry(args(f64(2.0), "double"), args(f64(2.0), "half"), args(f64(-2.0), "other"))
def match_on_a_string(x, how):
    match how:
        case "double":
            y = x * 2
        case "half":
            y = x / 2
        case _:
            y = x if x > 0 else -x
    return y


@entry(args(i32(3), i32(0)), args(i32(-3), i32(4)), args(i32(-3), i32(-4)), args(3, 4))
def guards_on_tensors(x, y):
    match (x, y):
        case (a, _) if a > 0:
            return a
        case (_, b) if b > 0:
            return b * 10
        case both:
            return both[0] + both[1]
