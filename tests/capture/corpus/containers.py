"""Lists, dictionaries, sets and queues, changed in branches and loops."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from typing import NamedTuple

import numpy as np

from tests.capture.entries import args, entry, f32, f64, i32, normal


@entry(f64([1.0, 2.0, 3.0]), f32([5.0]), normal(3, 2), captures="scan", xla=True)
def prefix_sums(values):
    sums = []
    total = 0
    for value in values:
        total = total + value
        sums.append(total)
    return sums


@entry(args([f64(1.0)], f64(2.0)), args([f64(1.0)], f64(-2.0)), args([], 3.0))
def append_in_a_branch(history, x):
    history.append(x)
    if x > 0:
        history[-1] = x * 2
    else:
        history[0] = history[0] + 1
    return history


@entry(args({"best": f64(1.0)}, f64(3.0)), args({"best": f64(5.0)}, f64(3.0)), args({"best": 1}, 3))
def keep_the_best(record, score):
    if score > record["best"]:
        record["best"] = score
        record["improved"] = True
    else:
        record["improved"] = False
    return record["best"]


@entry(args({"n": f64(0.0)}, f64([1.0, -2.0, 3.0])), args({"n": f64(0.0)}, f64([])))
def count_in_a_dictionary(counts, values):
    for value in values:
        if value > 0:
            counts["n"] += 1
    return counts


@entry(args([f64(1.0), f64(2.0), f64(3.0)], f64(1.0)), args([f64(1.0), f64(2.0)], f64(-1.0)))
def two_names_for_one_list(items, x):
    same = items
    if x > 0:
        same[0] = same[0] + x
    same.append(x)
    return items[0], len(items), same is items


@entry(f64(2.0), f64(-2.0), 2.0)
def nested_lists(x):
    grid = [[x, x + 1], [x + 2, x + 3]]
    row = grid[1]
    if x > 0:
        row[0] = row[0] * 10
    else:
        grid[0][1] = row[1] - 100
    return grid, row


@entry(args([f64(3.0), f64(1.0), f64(2.0)]), args([3, 1, 2]), args([f64(1.0)]))
def pop_insert_extend(items):
    last = items.pop()
    items.insert(0, last + 1)
    items.extend([last, last * 2])
    items.reverse()
    del items[1]
    return len(items), items.pop(0)


@entry(args({"a": f64(1.0), "b": f64(2.0)}, "b"), args({"a": f64(1.0), "b": f64(2.0)}, "c"))
def dictionary_methods(values, key):
    found = values.get(key, 0)
    values.setdefault("d", found + 1)
    values.update(a=found * 2)
    removed = values.pop("b")
    return sorted(values), removed, "b" in values


@entry(args(f64([1.0, 2.0, 3.0, 4.0, 5.0]), 3), args(f64([1.0, 2.0]), 1), args([1, 2, 3], 2))
def moving_average(values, width):
    window = deque(maxlen=width)
    means = []
    for value in values:
        window.append(value)
        means.append(sum(window) / len(window))
    return means


@entry(args(["a", "b", "a"], f64([1.0, 2.0, 3.0])), args([], f64([])))
def grouped_sums(names, values):
    sums = defaultdict(float)
    for name, value in zip(names, values):
        sums[name] += value
    return dict(sums), Counter(names).most_common(1)


Point = namedtuple("Point", "x y")


class Interval(NamedTuple):
    low: object
    high: object


@entry(args(Point(f64(1.0), f64(2.0)), f64(1.0)), args(Point(f64(1.0), f64(2.0)), f64(-1.0)))
def replaced_in_a_named_tuple(point, x):
    if x > 0:
        point = point._replace(x=point.x + x)
    return point


@entry(args(Interval(f64(1.0), f64(3.0)), f64(5.0)), args(Interval(f64(1.0), f64(3.0)), f64(0.0)))
def widened_interval(interval, x):
    low, high = interval
    if x < low:
        low = x
    elif x > high:
        high = x
    return Interval(low, high)


@entry(args([f64(1.0), f64(2.0)], f64(3.0)), args([f64(1.0), f64(2.0)], f64(-3.0)))
def slices_of_lists(items, x):
    items[1:] = [x, x + 1]
    if x > 0:
        items[:1] = [items[0] * 5]
    return items[::-1], items * 2, items + [x]


@entry(args(f64([1.0, 2.0, 3.0]), i32(1)), args(f64([1.0, 2.0, 3.0]), i32(2)), breaks=True)
def list_indexed_by_a_tensor(values, which):
    choices = [values.sum(), values.max(), values.mean()]
    return choices[which]


@entry(args([f64(1.0), f64(2.0), f64(4.0)], 0.5), args([f64(1.0)], 2))
def scaled_in_place(parameters, factor):
    for i, parameter in enumerate(parameters):
        parameters[i] = parameter * factor


@entry(args({"w": f64([1.0, 2.0]), "b": f64(1.0)}, {"w": f64([0.5, 0.5]), "b": f64(2.0)}))
def gradient_descent_on_a_dictionary(parameters, gradients):
    for name in parameters:
        parameters[name] = parameters[name] - 0.1 * gradients[name]
    return parameters


@entry(args({3, 1}, f64(2.0)), args(set(), f64(-2.0)))
def a_set_of_python_values(seen, x):
    seen.add(2)
    seen |= {5}
    seen.discard(1)
    if x > 0:
        x = x + len(seen)
    return x


@entry(args([f64(5.0), f64(3.0)], f64(1.0)), args([f64(5.0), f64(3.0)], f64(-1.0)))
def swap_in_a_branch(items, x):
    if x > 0:
        items[0], items[1] = items[1], items[0]
    return items[0] - items[1]


@entry(args(i32([3, 1, 2]), 4), args(i32([0, 0]), 1))
def histogram_in_a_list(values, n):
    counts = [values[0] * 0 for _ in range(n)]
    for value in values:
        for k in range(n):
            if value == k:
                counts[k] = counts[k] + 1
    return counts


@entry(args(f64([1.0, -2.0, 3.0, -4.0])), args(f64([1.0])))
def two_lists_of_one_loop(values):
    absolutes, signs = [], []
    for value in values:
        absolutes.append(abs(value))
        signs.append(np.sign(value))
    return absolutes, signs


@entry(
    args(OrderedDict(a=f64(1.0), b=f64(2.0)), f64(1.0)), args(OrderedDict(a=f64(1.0)), f64(-1.0))
)
def order_of_keys(values, x):
    values.move_to_end("a")
    if x > 0:
        values["a"] = x
    return list(values), list(values.values())


@entry(args(f64(3.0), {"count": 0}), args(f64(-3.0), {"count": 4}), args(3.0, {"count": 4}))
def python_counter_in_a_branch(x, statistics):
    if x > 0:
        statistics["count"] += 1
    return x, statistics["count"]


@entry(args(i32(4), [f64(1.0)]), args(i32(0), [f64(1.0)]))
def list_changed_in_a_while(n, cell):
    while n > 0:
        cell[0] = cell[0] * 2
        n = n - 1
    return cell


@entry(f64([2.0, 3.0]), f64([-2.0, 3.0]))
def list_as_a_stack(x):
    stack = [x]
    for factor in (2, 3):
        stack.append(stack.pop() * factor)
    if x[0] > 0:
        stack.append(x + 1)
        top = stack.pop()
    else:
        top = stack[-1]
    return top, stack
