"""Functions that ask for values, write to views, raise and print: for comparison with eager code.

Each takes a float tensor of shape (3, 4), an integer tensor of shape (4,), and a state with a
variable ``v``, a list ``log`` and a tensor ``out``.
"""

from __future__ import annotations

import copy
import math
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

import plait as pl

FUNCTIONS: list[Callable[[Any, Any, Any], Any]] = []


def case(function: Any) -> Any:
    FUNCTIONS.append(function)
    return function


@case
def branches(x: Any, n: Any, s: Any) -> Any:
    y = pl.tanh(x) * 2
    if y.sum() > 0:
        y = y + 1
    elif (y < -1).any():
        y = y * 3
    return y


@case
def loops(x: Any, n: Any, s: Any) -> Any:
    total, steps = x.sum(), 0
    while abs(total) > 1:
        total = total / 2
        steps += 1
    return total, steps


@case
def early_return(x: Any, n: Any, s: Any) -> Any:
    for row in x:
        if row.max() > 2:
            return row * 2
    return None


@case
def numbers(x: Any, n: Any, s: Any) -> Any:
    y = x * 2
    return float(y[0, 0]), int(n[1] + 1), bool(y[0, 1] < 0), complex(y[1, 1]), y.item(3), len(y)


@case
def more_numbers(x: Any, n: Any, s: Any) -> Any:
    y = n + 1
    return math.sqrt(y[2]), [10, 20, 30, 40][y[0]], range(y[1]), operator.index(y[3]), y.tolist()


@case
def texts(x: Any, n: Any, s: Any) -> Any:
    y = n * 2
    print("y is", y, f"{y[1]:d}|{y.sum():5d}|{y}")
    return repr(y), str(x[0] + 1), f"{x.sum():.3f}"


@case
def arrays(x: Any, n: Any, s: Any) -> Any:
    y = x + 1
    held = y.numpy()
    y += 1
    return held, np.asarray(y), y.tobytes(), np.from_dlpack(y)


@case
def numpy_functions(x: Any, n: Any, s: Any) -> Any:
    y, add = x - 1, np.add  # type: Any, Any
    return (
        np.tanh(y), add(y, 1.5), np.sum(y, axis=0), np.allclose(y, x), np.linalg.svd(y)[1],
        add.reduce(y), np.concatenate([y, x]), np.where(y > 0, y, 0), np.shape(y), np.spacing(y),
    )  # fmt: skip


@case
def numpy_writes(x: Any, n: Any, s: Any) -> Any:
    y = x * 2
    np.add(y, 1, out=y)
    np.copyto(y[0], 7)
    np.add.at(y, 1, 2)
    np.multiply(x, y, out=s["out"].reshape(1, 4)[:0].reshape(0, 4)) if False else None
    return y


@case
def views_of_pending(x: Any, n: Any, s: Any) -> Any:
    y = x * 2
    row, column, turned, line = y[0], y[:, 1], y.T, y.reshape(-1)
    row[1] = 100
    column += 5
    float(y[0, 0])
    turned[2] = -1
    line[3:5] *= 2
    return y, row, column, turned, line


@case
def views_after(x: Any, n: Any, s: Any) -> Any:
    y = x * 2
    inner = y[1:][0]
    bool(y.any())
    y[1, 2] = 50
    inner[0] = 60
    part = inner[1:3]
    part += 1
    return y, inner, part


@case
def views_of_arguments(x: Any, n: Any, s: Any) -> Any:
    row = x[1]
    y = x + 1
    row[2] = 9
    z = x + 1
    x[0] = y[2]
    x += z
    return row, y, z, x.T[1]


@case
def writes_to_arguments(x: Any, n: Any, s: Any) -> Any:
    old = x * 1
    x[0, 0] = (old * 3).sum()
    x[1] += old[0]
    x *= 2
    n[n > 1] = 7
    return old


@case
def writes_to_state(x: Any, n: Any, s: Any) -> Any:
    s["out"][1] = x.sum()
    s["out"] += n
    y = s["out"] * 2
    s["out"][0] = -1
    return y


@case
def in_place_results(x: Any, n: Any, s: Any) -> Any:
    y = x - 3
    y.sort(axis=1)
    y.put([0, 1], [4, 5])
    y.fill(3) if y.sum() > 1e6 else None
    y.real[0] = 2
    return y, y.at[0].set(1), y.flat[3], [float(e) for e in y.flat][:2]


@case
def broadcast_view(x: Any, n: Any, s: Any) -> Any:
    y = pl.broadcast_to(n * 2, (3, 4))
    y[0, 0] = 1
    return y


@case
def masks(x: Any, n: Any, s: Any) -> Any:
    y = x * 2
    kept = y[y > 0]
    y[y < -2] = 0
    return kept, pl.nonzero(y), pl.unique(n // 2), y


@case
def tensor_indices(x: Any, n: Any, s: Any) -> Any:
    i = (n * 2)[1]
    row = x[i]
    row[0] = 77
    return pl.take(x, n[:3], axis=1), x[i, 1], x[[0, 2]], pl.gather(n * 1, 2), row, x


@case
def shapes_of_values(x: Any, n: Any, s: Any) -> Any:
    k = n[2] + 1
    return pl.zeros((k, 2)), pl.arange(k), x.reshape(k + 1, -1), pl.tile(n, int(k))


@case
def index_error(x: Any, n: Any, s: Any) -> Any:
    s["log"].append("before")
    y = pl.gather(x * 2, n[3] + 5)
    s["log"].append("after")
    return y


@case
def caught_index_error(x: Any, n: Any, s: Any) -> Any:
    try:
        s["v"].assign(x[:, 0] * 2)
        y = pl.gather(x * 2, n[3] + 5)
        s["log"].append(y)
    except IndexError as error:
        s["log"].append(type(error).__name__)
        return s["v"] + 1
    return None


@case
def shape_error(x: Any, n: Any, s: Any) -> Any:
    y = x * 2
    s["v"].assign_add(y[:, 0])
    return y + pl.zeros((5,))


@case
def dtype_error(x: Any, n: Any, s: Any) -> Any:
    return pl.bitwise_and(x * 2, n)


@case
def write_error(x: Any, n: Any, s: Any) -> Any:
    y = n * 2
    y += x[0]
    return y


@case
def assertion(x: Any, n: Any, s: Any) -> Any:
    y = n * 2
    assert (y >= 0).all(), "never"
    assert y.sum() < 3, f"sum is {y.sum()}"


@case
def raising(x: Any, n: Any, s: Any) -> Any:
    y = x * 2
    x[0] = y[1]
    s["v"].assign(y[:, 3])
    if y.sum() > 0:
        raise ValueError(f"too much: {y.sum():.1f}")
    return y


@case
def finally_and_else(x: Any, n: Any, s: Any) -> Any:
    try:
        y = n // 2
        z = pl.take(y, y)
    except IndexError:
        return None
    else:
        s["log"].append(int(z.sum()))
    finally:
        s["log"].append("done")
    return z


@case
def variables(x: Any, n: Any, s: Any) -> Any:
    v = s["v"]
    v.assign_add(x[:, 0])
    before = v.value
    v.assign(v * 2)
    held = v.numpy()
    v[1] = 9
    v.assign_sub([1.0, 2.0, 3.0])
    return before, held, v + 1, v.value, repr(v), v.sum()


@case
def variables_made(x: Any, n: Any, s: Any) -> Any:
    made = pl.Variable(x * 2, name="made")
    other = pl.Variable(lambda: pl.ones(3))
    made.assign_add(x)
    return made, other + s["v"], made.numpy()


@case
def random_draws(x: Any, n: Any, s: Any) -> Any:
    y = pl.random.uniform((3, 4)) * x
    if pl.random.uniform() < 2:
        y = y + pl.random.randint(0, 10, (3, 4))
    return y, pl.random.permutation(n)


@case
def prints_in_order(x: Any, n: Any, s: Any) -> Any:
    y = n + 1
    pl.print("pl", y)
    print("python", int(y[0]))
    z = y * 2
    pl.print("again", z[0])
    return z


@case
def containers(x: Any, n: Any, s: Any) -> Any:
    rows = []
    for i in range(int(n[2]) + 1):
        rows.append(x[i] * i)
        s["log"].append(rows[-1])
    table = {"a": pl.stack(rows), "b": sorted([n[3], n[1], n[2]])}
    return table, min(n[1], n[2]), max([n[0], n[3]]), sum(list(n))


@case
def membership(x: Any, n: Any, s: Any) -> Any:
    y = n * 3
    return 6 in y, 7 in y, y == 3, [bool(a != b) for a, b in zip(y, n, strict=True)]


@case
def copies(x: Any, n: Any, s: Any) -> Any:
    y = n * 2
    one, two, three = y.copy(), copy.copy(y), copy.deepcopy({"y": y})["y"]
    y[0] = 50
    four = pickle.loads(pickle.dumps(y))
    y[1] = 51
    return one, two, three, four, y


@case
def bits_and_devices(x: Any, n: Any, s: Any) -> Any:
    y = x * 2
    bits = y.view("int32")
    y[0] = 1.0
    return bits, str(y.device), y.to("cpu:0"), y.block_until_ready(), (y * 1j).imag


@case
def a_scope(x: Any, n: Any, s: Any) -> Any:
    y = x * 2
    with pl.device("cpu:0"):
        z = y + pl.zeros(4)
        s["log"].append(float(z[0, 0]))
    return z


@case
def closures(x: Any, n: Any, s: Any) -> Any:
    count = 0

    def scaled(k: Any) -> Any:
        nonlocal count
        count += 1
        return x * k if x.sum() > k else x / k

    return [scaled(k) for k in (1.0, 10.0)], count, [*map(float, x[0])]


@case
def generators(x: Any, n: Any, s: Any) -> Any:
    def rows() -> Any:
        for row in x:
            y = row * 2
            if y.sum() > 0:
                yield y

    found = rows()
    first = next(found)
    s["log"].append(first)
    return first, list(found)


@case
def types(x: Any, n: Any, s: Any) -> Any:
    y, z = n.astype("float16") + 1, pl.asarray([1.5, 2], dtype=pl.bfloat16)
    return y * z[0], z * 2, (n > 1) & (n < 3), n / 2, n**2, -n, divmod(n, 2), n @ n, x @ n


@case
def zero_sizes(x: Any, n: Any, s: Any) -> Any:
    y = x[:0] * 2
    return y, y.sum(), bool(y.any()), pl.concat([y, x]), [float(r.sum()) for r in y]


@case
def same_object(x: Any, n: Any, s: Any) -> Any:
    y = x * 2
    s["log"].append(y)
    y += 1
    z = y
    z[0] = 0
    return y, y is z, s["log"][0] is y, x
