"""Attributes, methods, properties, dataclasses and inheritance."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass, field

import numpy as np

from tests.capture.entries import args, entry, f32, f64, i32, normal


@dataclass
class Account:
    balance: object
    rejected: object = 0

    def withdraw(self, amount):
        if amount > self.balance:
            self.rejected = self.rejected + 1
            return False
        self.balance = self.balance - amount
        return True


@entry(args(Account(f64(10.0)), f64(3.0)), args(Account(f64(10.0)), f64(30.0)), args(Account(1), 2))
def withdraw_twice(account, amount):
    first = account.withdraw(amount)
    second = account.withdraw(amount * 2)
    return first, second, account.balance


@dataclass(frozen=True)
class Vector:
    x: object
    y: object

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __mul__(self, factor):
        return Vector(self.x * factor, self.y * factor)

    @property
    def length(self):
        return (self.x**2 + self.y**2) ** 0.5

    def limited(self, most):
        if self.length > most:
            return self * (most / self.length)
        return self


@entry(args(Vector(f64(3.0), f64(4.0)), f64(1.0)), args(Vector(f64(0.3), f64(0.4)), f64(1.0)))
def frozen_vectors(vector, most):
    return (vector + vector).limited(most)


@entry(
    args(Vector(f64(3.0), f64(4.0)), f64(1.0)),
    args(Vector(f64(3.0), f64(4.0)), f64(-1.0)),
    args(Vector(3.0, 4.0), -1.0),
)
def dataclass_replace(vector, x):
    if x > 0:
        vector = dataclasses.replace(vector, x=x)
    return vector


class Layer:
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def __call__(self, x):
        return self.activate(x @ self.weight + self.bias)

    def activate(self, x):
        return x


class Gated(Layer):
    threshold = 0.0

    def activate(self, x):
        x = super().activate(x)
        if x.sum() > self.threshold:
            x = np.tanh(x)
        return x


class Scaled(Gated):
    def __init__(self, weight, bias, scale):
        super().__init__(weight, bias)
        self.scale = scale

    def activate(self, x):
        return super().activate(x) * self.scale


@entry(
    args(Layer(normal(3, 2), f64([1.0, 2.0])), normal(4, 3)),
    args(Gated(normal(3, 2), f64([9.0, 9.0])), normal(4, 3)),
    args(Gated(normal(3, 2), f64([-9.0, 9.0])), normal(3)),
    args(Scaled(normal(3, 2), 0.5, f64(3.0)), normal(1, 3)),
    xla=True,
)
def apply_layer(layer, x):
    return layer(x)


@entry(args(normal(3), normal(3, 3)), args(f32([1.0]), f32([[2.0]])))
def layers_made_inside(x, weight):
    layers = [Layer(weight, 0.0), Scaled(weight, 1.0, 2.0)]
    for layer in layers:
        x = layer(x)
    return x


class Momentum:
    def __init__(self, rate):
        self.rate = rate
        self.velocity = None

    def step(self, parameter, gradient):
        if self.velocity is None:
            self.velocity = np.zeros_like(parameter)
        self.velocity = 0.9 * self.velocity + gradient
        return parameter - self.rate * self.velocity


@entry(args(Momentum(0.1), f64([1.0, -2.0])), args(Momentum(f64(0.1)), f64(3.0)))
def momentum_steps(optimizer, parameter):
    for _ in range(3):
        parameter = optimizer.step(parameter, 2 * parameter)
    return parameter


@dataclass
class Running:
    count: object = 0
    mean: object = 0.0
    squares: object = 0.0

    def update(self, value):
        self.count += 1
        difference = value - self.mean
        self.mean += difference / self.count
        self.squares += difference * (value - self.mean)

    @property
    def variance(self):
        return self.squares / (self.count - 1) if self.count > 1 else 0.0


@entry(f64([1.0, 2.0, 4.0, 8.0]), f64([3.0]), [1.0, 2.0, 4.0])
def welford(values):
    running = Running()
    for value in values:
        running.update(value)
    return running.mean, running.variance, running


@dataclass
class Node:
    value: object
    children: list[Node] = field(default_factory=list)


@entry(
    args(Node(f64(1.0), [Node(f64(2.0)), Node(f64(-3.0), [Node(f64(4.0))])])),
    args(Node(f64(-1.0))),
)
def sum_of_a_tree(node):
    total = node.value if node.value > 0 else 0 * node.value
    for child in node.children:
        total = total + sum_of_a_tree(child)
    return total


class Temperature:
    def __init__(self, celsius):
        self._celsius = celsius

    @property
    def fahrenheit(self):
        return self._celsius * 1.8 + 32

    @fahrenheit.setter
    def fahrenheit(self, value):
        self._celsius = (value - 32) / 1.8

    @staticmethod
    def is_frost(celsius):
        return celsius < 0

    @classmethod
    def from_fahrenheit(cls, value):
        made = cls(0.0)
        made.fahrenheit = value
        return made


@entry(args(Temperature(f64(-5.0))), args(Temperature(f64(5.0))), args(Temperature(5.0)))
def property_with_a_setter(temperature):
    if Temperature.is_frost(temperature._celsius):
        temperature.fahrenheit = temperature.fahrenheit + 18
    return temperature.fahrenheit, Temperature.from_fahrenheit(temperature.fahrenheit)


class Polynomial:
    def __init__(self, coefficients):
        self.coefficients = coefficients

    def __len__(self):
        return len(self.coefficients)

    def __getitem__(self, k):
        return self.coefficients[k]

    def __setitem__(self, k, value):
        self.coefficients[k] = value

    def __iter__(self):
        return iter(self.coefficients)

    def __call__(self, x):
        return functools.reduce(lambda total, c: total * x + c, self, 0)

    def __contains__(self, value):
        return any(c == value for c in self)


@entry(
    args(Polynomial([f64(1.0), f64(2.0), f64(3.0)]), f64(2.0)),
    args(Polynomial([f64(1.0), f64(2.0), f64(3.0)]), f64(-2.0)),
    args(Polynomial([1, 2]), 3),
)
def special_methods(polynomial, x):
    if x > 0:
        polynomial[0] = polynomial[0] + x
    return polynomial(x), len(polynomial), polynomial[-1]


class Slotted:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left, self.right = left, right

    def exchange(self):
        self.left, self.right = self.right, self.left


@entry(args(f64(1.0), f64(2.0)), args(f64(2.0), f64(1.0)), args(2, 1))
def slots(a, b):
    pair = Slotted(a, b)
    if pair.left > pair.right:
        pair.exchange()
    return pair.left, pair.right


class Shape:
    def area(self):
        raise NotImplementedError


class Circle(Shape):
    def __init__(self, radius):
        self.radius = radius

    def area(self):
        return 3.0 * self.radius**2


class Square(Shape):
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side**2


@entry(args([Circle(f64(1.0)), Square(f64(3.0)), Circle(f64(2.0))]), args([Square(2), Circle(1)]))
def largest_area(shapes):
    best = shapes[0].area()
    for shape in shapes[1:]:
        area = shape.area()
        if area > best:
            best = area
    return best


@entry(args(Account(f64(5.0)), f64(2.0)), args(Account(f64(5.0)), f64(-2.0)))
def two_names_for_one_object(account, x):
    same = account
    if x > 0:
        same.balance = same.balance * x
    account.note = "seen"
    return account.balance, same


@entry(args(Account(f64(64.0)), i32(3)), args(Account(f64(64.0)), i32(0)), captures="while")
def attribute_changed_in_a_while(account, n):
    while n > 0:
        account.balance = account.balance / 2
        n = n - 1
    return account.balance


@entry(
    args(Account(f64(1.0)), "balance", f64(3.0)),
    args(Account(f64(1.0)), "rejected", f64(-3.0)),
    widens=True,
)
def attributes_by_name(account, name, x):
    if x > 0:
        setattr(account, name, x)
    account.extra = getattr(account, "missing", x)
    had = hasattr(account, "extra")
    del account.extra
    return getattr(account, name), had


class Cell:
    def __init__(self, size):
        self.__state = np.ones(size)

    def __mix(self, x):
        return 0.5 * self.__state + x

    def feed(self, x):
        self.__state = self.__mix(x)
        if self.__state[0] > 1:
            self.__state = self.__state - 1
        return self.__state


@entry(args(f64([0.0, 1.0])), args(f64([5.0, -5.0])))
def private_names(x):
    cell = Cell(2)
    cell.feed(x)
    return cell.feed(x * 2)
