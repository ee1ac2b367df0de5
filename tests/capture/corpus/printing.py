"""``print`` and formatted text: in order, when the program runs."""

from __future__ import annotations

from tests.capture.entries import args, entry, f32, f64, i32, normal


@entry(i32(6), i32(1), 6, numpy=False, xla=True)
def collatz_aloud(a):
    while a != 1:
        if a % 2 == 0:
            a = a // 2
        else:
            a = 3 * a + 1
        print(a)
    return a


@entry(f64(2.0), f64(-2.0), f32([1.0, 2.0]).sum(), 2.0, numpy=False)
def print_in_branches(x):
    print("start")
    if x > 0:
        print("positive", x)
    else:
        print("negative", -x)
    print("end", x * 2, sep=": ")
    return x


@entry(f64([1.0, 2.0, 3.0]), i32([]), normal(2, 2), [1, 2], numpy=False)
def print_in_a_loop(values):
    for i, value in enumerate(values):
        print(i, value, end=";\n")
    print()


@entry(f64(1.5), i32(3), 1.5, numpy=False)
def formatted(x):
    print(f"x is {x}")
    print(f"{x + 1!r} and {'text'} and {3:>4}")
    print("done:", "%s" % 5, str(2))
    return x


@entry(args(f64(1.23456), i32(42)), args(f64(-0.5), i32(-7)), args(1.23456, 42), numpy=False)
def formatted_with_digits(x, n):
    print(f"{x:.2f}|{x:8.3f}|{n:5d}|{n}")
    if x > 0:
        print(f"{x:.1f} is positive")


@entry(args({"a": f64(1.0)}, [f64(2.0), 3]), args({}, []), numpy=False)
def print_of_containers(values, items):
    print(values, items)
    print(*items, sep=", ")
    print((f64(1.0).tolist(), len(items)))


def traced(x, depth):
    print("  " * depth + "enter")
    if depth < 2:
        x = traced(x * 2, depth + 1)
    print("  " * depth + "leave", x)
    return x


@entry(f64(1.0), 1, numpy=False)
def print_in_callees(x):
    return traced(x, 0)


@entry(f64(3.0), f64(-3.0), numpy=False)
def print_before_an_error(x):
    print("checking", x)
    if x < 0:
        raise ValueError("negative")
    print("fine")
    return x


@entry(f64([[1.0, 2.0], [3.0, 4.0]]), numpy=False)
def print_of_an_array(matrix):
    print(matrix)
    print(matrix.sum(axis=0), matrix.shape, matrix.dtype)


@entry(f64(0.5), f64(40.0), numpy=False)
def print_and_break(x):
    for k in range(5):
        if x > 10:
            print("large at", k)
            break
        x = x * 3
    else:
        print("never large", x)
    return x
