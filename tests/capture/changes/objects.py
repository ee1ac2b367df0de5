"""The kinds of change of objects, classes and closures; see ``table``."""

from __future__ import annotations

from tests.capture.changes.kind import Change

OBJECTS = (
    Change(
        "an attribute of an object",
        """
class Config:
    on = None
config = Config()
config.on = True
def f(x):
    return x * 2 if config.on else x  # here
""",
        "config.on = False",
        "config.on",
    ),
    Change(
        "a field of a dataclass",
        """
@dataclasses.dataclass
class Config:
    size: int
    on: bool
config = Config(3, True)
def f(x):
    return x * 2 if config.on else x  # here
""",
        "config.on = False",
        "config.on",
    ),
    Change(
        "a slot",
        """
class Config:
    __slots__ = ("on",)
config = Config()
config.on = True
def f(x):
    return x * 2 if config.on else x  # here
""",
        "config.on = False",
        "config.on",
    ),
    Change(
        "a tensor attribute of the same type",
        """
class Layer:
    pass
layer = Layer()
layer.w = pl.ones(3)
def f(x):
    return x + layer.w  # here
""",
        "layer.w = pl.zeros(3)",
        None,
    ),
    Change(
        "a tensor attribute of another shape",
        """
class Layer:
    pass
layer = Layer()
layer.w = pl.ones(3)
def f(x):
    return x + layer.w  # here
""",
        "layer.w = pl.ones((2, 3))",
        "layer.w",
    ),
    Change(
        "an attribute that is new",
        """
class Config:
    pass
config = Config()
def f(x):
    return x * 2 if hasattr(config, "on") else x  # here
""",
        "config.on = True",
        "config.on",
    ),
    Change(
        "an attribute that is gone",
        """
class Config:
    pass
config = Config()
config.factor = "two"
def f(x):
    return x * 2 if getattr(config, "factor", None) else x  # here
""",
        "del config.factor",
        "config.factor",
    ),
    Change(
        "what a property reads",
        """
class Config:
    _on = True
    @property
    def on(self):
        return self._on  # here
config = Config()
def f(x):
    return x * 2 if config.on else x
""",
        "config._on = False",
        "config._on",
    ),
    Change(
        "an attribute of a class",
        """
class Config:
    on = True
def f(x):
    return x * 2 if Config.on else x  # here
""",
        "Config.on = False",
        "Config.on",
    ),
    Change(
        "an attribute of an object that hides its class's",
        """
class Config:
    on = True
config = Config()
def f(x):
    return x * 2 if config.on else x  # here
""",
        "config.on = False",
        "config.on",
    ),
    Change(
        "a method, monkeypatched in its class",
        """
class Layer:
    def apply(self, x):
        return x * 2
layer = Layer()
def f(x):
    return layer.apply(x)  # here
""",
        "Layer.apply = lambda self, x: x * 3",
        "layer.apply",
    ),
    Change(
        "a method, monkeypatched in a base class",
        """
class Base:
    def apply(self, x):
        return x * 2
class Layer(Base):
    pass
layer = Layer()
def f(x):
    return layer.apply(x)  # here
""",
        "Base.apply = lambda self, x: x * 3",
        "layer.apply",
    ),
    Change(
        "a method, monkeypatched in an object",
        """
class Layer:
    def apply(self, x):
        return x * 2
layer = Layer()
def f(x):
    return layer.apply(x)  # here
""",
        "layer.apply = lambda x: x * 3",
        "layer.apply",
    ),
    Change(
        "the class of an object",
        """
class Double:
    def apply(self, x):
        return x * 2
class Triple:
    def apply(self, x):
        return x * 3
layer = Double()
def f(x):
    return layer.apply(x)  # here
""",
        "layer.__class__ = Triple",
        "layer.apply",
    ),
    Change(
        "a special method",
        """
class Layer:
    def __call__(self, x):
        return x * 2
layer = Layer()
def f(x):
    return layer(x)  # here
""",
        "Layer.__call__ = lambda self, x: x * 3",
        "layer.__call__",
    ),
    Change(
        "an object replaced by one like it",
        """
class Layer:
    def __init__(self, on):
        self.on = on
layer = Layer(True)
def f(x):
    return x * 2 if layer.on else x  # here
""",
        "layer = Layer(False)",
        "layer",
    ),
)

CLOSURES = (
    Change(
        "a variable of an enclosing function",
        """
def make():
    on = True
    def f(x):
        return x * 2 if on else x  # here
    def turn(value):
        nonlocal on
        on = value
    return f, turn
f, turn = make()
""",
        "turn(False)",
        "on",
    ),
    Change(
        "a tensor of an enclosing function, of the same type",
        """
def make():
    bias = pl.ones(3)
    def f(x):
        return x + bias  # here
    def turn(value):
        nonlocal bias
        bias = value
    return f, turn
f, turn = make()
""",
        "turn(pl.zeros(3))",
        None,
    ),
    Change(
        "a tensor of an enclosing function, of another dtype",
        """
def make():
    bias = pl.ones(3)
    def f(x):
        return x + bias  # here
    def turn(value):
        nonlocal bias
        bias = value
    return f, turn
f, turn = make()
""",
        "turn(pl.ones(3, dtype='float64'))",
        "bias",
    ),
    Change(
        "a function of an enclosing function",
        """
def make():
    scale = lambda x: x * 2
    def f(x):
        return scale(x)  # here
    def turn(value):
        nonlocal scale
        scale = value
    return f, turn
f, turn = make()
""",
        "turn(lambda x: x * 3)",
        "scale",
    ),
    Change(
        "an attribute of the self of a bound method",
        """
class Layer:
    on = True
    def apply(self, x):
        return x * 2 if self.on else x  # here
layer = Layer()
f = layer.apply
""",
        "layer.on = False",
        "self.on",
    ),
)
