"""State across calls: caches, counters, optimizers, changes from outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import plait as pl
from tests.capture.corpus import helpers
from tests.capture.entries import scenario


def numbers(*values):
    """A tensor of float64."""
    return pl.asarray(np.asarray(values, np.float64))


class Cache:
    """Keys and values of the positions seen so far."""

    def __init__(self, size, width):
        self.keys = pl.zeros((size, width))
        self.values = pl.zeros((size, width))
        self.length = 0

    def append(self, key, value):
        self.keys[self.length] = key
        self.values[self.length] = value
        self.length += 1
        return self.values[: self.length]


@scenario(xla=True)
def key_value_cache(compiled):
    cache = Cache(6, 2)
    append = compiled(cache.append)
    seen = [append(pl.full((2,), float(k)), pl.full((2,), k * 10.0)) for k in range(4)]
    return seen, cache


@scenario()
def cache_written_at_a_tensor(compiled):
    cache = {"keys": pl.zeros((4, 2)), "length": pl.constant(0)}

    def append(key):
        cache["keys"][cache["length"]] = key
        cache["length"] += 1
        if cache["length"] == 4:
            cache["length"] = cache["length"] * 0
        return cache["keys"].sum()

    append = compiled(append)
    return [append(pl.full((2,), float(k))) for k in range(6)], cache


class Counter:
    def __init__(self):
        self.calls = 0
        self.positive = pl.constant(0)

    def see(self, x):
        self.calls += 1
        if x > 0:
            self.positive = self.positive + 1
        return self.positive * 100 + self.calls


@scenario()
def counter_of_calls(compiled):
    counter = Counter()
    see = compiled(counter.see)
    return [see(numbers(v).sum()) for v in (1.0, -1.0, 2.0, 3.0, -4.0)], counter


@scenario()
def nonlocal_state(compiled):
    total, largest = numbers(0.0), None

    def add(x):
        nonlocal total, largest
        total = total + x
        if largest is None:
            largest = x
        elif (x > largest).all():
            largest = x
        return total

    add = compiled(add)
    return [add(numbers(v)) for v in (1.0, 5.0, 3.0)], total, largest


@scenario()
def variables_of_a_model(compiled):
    weight = pl.Variable(pl.ones((2,)))
    steps = pl.Variable(pl.constant(0))

    def train(x):
        error = (weight * x).sum() - 1
        if abs(error) > 0.1:
            weight.assign(weight - 0.1 * error * x)
            steps.assign(steps + 1)
        return error

    train = compiled(train)
    errors = [train(pl.asarray([1.0, 2.0])) for _ in range(6)]
    return errors, weight.numpy(), steps.numpy()


@dataclass
class Settings:
    scale: float = 2.0
    offset: object = None
    names: tuple = ("a",)


@scenario()
def attributes_change_between_calls(compiled):
    settings = Settings()

    @compiled
    def apply(x):
        y = x * settings.scale * len(settings.names)
        if settings.offset is not None:
            y = y + settings.offset
        return y

    results = [apply(numbers(1.0, 2.0))]
    settings.scale = 3.0
    results.append(apply(numbers(1.0, 2.0)))
    settings.offset = numbers(10.0, 20.0)
    results.append(apply(numbers(1.0, 2.0)))
    settings.offset = numbers(5.0)
    settings.names = ("a", "b")
    results.append(apply(numbers(1.0, 2.0)))
    settings.offset = None
    return [*results, apply(numbers(1.0, 2.0))]


RATE = 0.5


def decayed(x):
    return x * RATE if x > 0 else x


@scenario()
def globals_change_between_calls(compiled):
    global RATE
    function = compiled(decayed)
    results = []
    try:
        for RATE in (0.5, 0.25, 3, 0.5):
            results.append(function(numbers(8.0).sum()))
    finally:
        RATE = 0.5
    return results


@scenario()
def function_of_a_module_is_replaced(compiled):
    @compiled
    def apply(x):
        return helpers.saturate(x) + 1

    kept, results = helpers.saturate, [apply(numbers(9.0).sum())]
    try:
        helpers.saturate = lambda x: x * 100
        results.append(apply(numbers(9.0).sum()))
    finally:
        helpers.saturate = kept
    return [*results, apply(numbers(9.0).sum())]


@scenario()
def list_outside_grows(compiled):
    layers = [numbers(2.0)]

    @compiled
    def product(x):
        for layer in layers:
            x = x * layer
        return x

    results = [product(numbers(1.0))]
    layers.append(numbers(3.0))
    results.append(product(numbers(1.0)))
    layers[0] = numbers(10.0)
    return [*results, product(numbers(1.0))]


@scenario()
def list_outside_is_appended_to(compiled):
    log = []

    @compiled
    def note(x):
        log.append(x * 2)
        if x.sum() > 1:
            x = -x
        log.append("seen")
        return x

    return [note(numbers(v)) for v in (1.0, 2.0, 3.0)], log


@scenario()
def lambda_is_redefined(compiled):
    steps = {"step": lambda x: x + 1}
    apply = compiled(lambda x: steps["step"](x))
    results = [apply(numbers(1.0))]
    steps["step"] = lambda x: x - 1 if x.sum() > 0 else x
    return [*results, apply(numbers(1.0)), apply(numbers(-1.0))]


class Model:
    def __init__(self):
        self.weights = [pl.ones((2, 2)), pl.full((2, 2), 0.5)]
        self.training = True
        self.seen = {}

    def __call__(self, x):
        for k, weight in enumerate(self.weights):
            x = x @ weight
            if self.training:
                self.seen[k] = x.max()
        return x


@scenario()
def model_in_two_modes(compiled):
    model = Model()
    predict = compiled(model.__call__)
    results = [predict(pl.ones((3, 2)))]
    model.training = False
    results.append(predict(pl.full((3, 2), 5.0)))
    model.weights[1] = pl.zeros((2, 2))
    return [*results, predict(pl.ones((3, 2)))], model


@scenario()
def tensor_outside_is_written(compiled):
    buffer = pl.zeros((3,))
    view = buffer[1:]

    @compiled
    def push(x):
        buffer[1:] = buffer[:-1].copy()
        buffer[0] = x
        return view.sum()

    return [push(pl.asarray(float(k + 1))) for k in range(4)], buffer, view


@scenario()
def overlapping_arguments(compiled):
    @compiled
    def move(target, source):
        target[:] = source * 2
        return target.sum()

    base = pl.asarray([1.0, 2.0, 3.0, 4.0])
    first = move(base[:2], base[2:])
    array = np.array([1.0, 2.0, 3.0])
    second = move(array, array[::-1].copy())
    return first, base, second, array


@scenario()
def error_leaves_state_as_it_was(compiled):
    counter = Counter()

    @compiled
    def guarded(x):
        counter.see(x)
        if x > 10:
            raise ValueError("too large")
        return x

    results = []
    for value in (1.0, 20.0, 2.0):
        try:
            results.append(guarded(numbers(value).sum()))
        except ValueError as error:
            results.append(str(error).splitlines()[0])
    return results


@scenario()
def compiled_calls_compiled(compiled):
    @compiled
    def inner(x):
        return x * 2 if x.sum() > 0 else x * 3

    @compiled
    def outer(x):
        y = inner(x) + 1
        while y.sum() < 20:
            y = inner(y)
        return y

    return [outer(numbers(v, 1.0)) for v in (1.0, -5.0, 50.0)]


@scenario()
def random_numbers_go_on(compiled):
    pl.random.seed(3)

    @compiled
    def noisy(x):
        if x.sum() > 0:
            x = x + pl.random.uniform((2,), dtype="float64")
        return x

    return [noisy(numbers(v, 0.0)) for v in (1.0, 1.0, -1.0, 1.0)]
