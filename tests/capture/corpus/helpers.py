"""A module of functions that ``modules`` calls: this one calls back."""

from __future__ import annotations

from tests.capture.corpus import modules

LIMIT = 5.0


def saturate(x):
    return x if x < LIMIT else x * 0 + LIMIT


def descend(x, depth):
    """Calls back into the module that called it."""
    if depth == 0:
        return x
    return modules.ascend(x - 1 if x > 0 else x, depth - 1)


class Accumulator:
    def __init__(self):
        self.total = 0.0

    def add(self, x):
        if x > 0:
            self.total = self.total + x
        return self
