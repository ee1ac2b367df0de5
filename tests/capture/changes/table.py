"""The kinds of outside change, as data."""

from __future__ import annotations

from tests.capture.changes.containers import CONTAINERS
from tests.capture.changes.kind import Change
from tests.capture.changes.objects import CLOSURES, OBJECTS

GLOBALS = (
    Change(
        "a global number that a test reads",
        """
LIMIT = 3
def f(x):
    if LIMIT > 2:  # here
        return x + 1
    return x
""",
        "LIMIT = 1",
        "LIMIT",
    ),
    Change(
        "a global bool",
        """
FLAG = True
def f(x):
    return x * 2 if FLAG else x  # here
""",
        "FLAG = False",
        "FLAG",
    ),
    Change(
        "a global string",
        """
MODE = "double"
def f(x):
    if MODE == "double":  # here
        return x * 2
    return x
""",
        "MODE = 'single'",
        "MODE",
    ),
    Change(
        "a global tuple that is a shape",
        """
SHAPE = (3, 1)
def f(x):
    return x.reshape(SHAPE)  # here
""",
        "SHAPE = (1, 3)",
        "SHAPE",
    ),
    Change(
        "a global None that becomes a tensor",
        """
BIAS = None
def f(x):
    bias = BIAS  # here
    return x if bias is None else x + bias
""",
        "BIAS = pl.ones(3)",
        "BIAS",
    ),
    Change(
        "a global tensor rebound, of the same type",
        """
BIAS = pl.ones(3)
def f(x):
    return x + BIAS  # here
""",
        "BIAS = pl.zeros(3)",
        None,
    ),
    Change(
        "a global tensor written in place",
        """
BIAS = pl.ones(3)
def f(x):
    return x + BIAS  # here
""",
        "BIAS[1] = 7",
        None,
    ),
    Change(
        "a global tensor of another dtype",
        """
BIAS = pl.ones(3)
def f(x):
    return x + BIAS  # here
""",
        "BIAS = pl.ones(3, dtype='float64')",
        "BIAS",
    ),
    Change(
        "a global tensor of another shape",
        """
BIAS = pl.ones(3)
def f(x):
    return x + BIAS  # here
""",
        "BIAS = pl.ones((2, 3))",
        "BIAS",
    ),
    Change(
        "a global ndarray rebound, of the same type",
        """
BIAS = np.ones(3)
def f(x):
    return x + BIAS  # here
""",
        "BIAS = np.zeros(3)",
        None,
    ),
    Change(
        "a global ndarray that becomes a tensor",
        """
BIAS = np.ones(3)
def f(x):
    return x + BIAS  # here
""",
        "BIAS = pl.zeros(3)",
        "BIAS",
    ),
    Change(
        "a global variable of another dtype",
        """
W = pl.Variable(pl.ones(3))
def f(x):
    return x + W  # here
""",
        "W = pl.Variable(pl.ones(3, dtype='float64'))",
        "W",
    ),
    Change(
        "a name that hides a builtin",
        """
def f(x):
    return abs(x)  # here
""",
        "abs = lambda value: value * 10",
        "abs",
    ),
    Change(
        "a global that is deleted: the builtin is seen again",
        """
def max(a, b):
    return a
def f(x):
    return x + max(1, 2)  # here
""",
        "del max",
        "max",
    ),
)

FUNCTIONS = (
    Change(
        "a function defined anew",
        """
def scale(x):
    return x * 2
def f(x):
    return scale(x)  # here
""",
        "def scale(x):\n    return x * 3",
        "scale",
    ),
    Change(
        "a lambda defined anew",
        """
scale = lambda x: x * 2
def f(x):
    return scale(x)  # here
""",
        "scale = lambda x: x * 3",
        "scale",
    ),
    Change(
        "the helper of a helper defined anew",
        """
def factor():
    return 2
def scale(x):
    return x * factor()  # here
def f(x):
    return scale(x)
""",
        "def factor():\n    return 3",
        "factor",
    ),
    Change(
        "the code of a function replaced",
        """
def scale(x):
    return x * 2
def f(x):
    return scale(x)  # here
""",
        "scale.__code__ = (lambda x: x * 3).__code__",
        "scale.__code__",
    ),
    Change(
        "the defaults of a function",
        """
def scale(x, factor=2):
    return x * factor
def f(x):
    return scale(x) if len(x.shape) else x  # here
""",
        "scale.__defaults__ = ([3, 4, 5],)",
        "scale(factor=)",
    ),
    Change(
        "the keyword defaults of a function",
        """
def scale(x, *, up=True):
    return x * 2 if up else x
def f(x):
    return scale(x)  # here
""",
        "scale.__kwdefaults__['up'] = False",
        "scale(up=)",
    ),
    Change(
        "an attribute of a function",
        """
def scale(x):
    return x * 2 if scale.on else x  # here
scale.on = True
def f(x):
    return scale(x)
""",
        "scale.on = False",
        "scale.on",
    ),
    Change(
        "a function of a module, monkeypatched",
        """
lib = types.ModuleType("lib")
lib.scale = lambda x: x * 2
def f(x):
    return lib.scale(x)  # here
""",
        "lib.scale = lambda x: x * 3",
        "lib.scale",
    ),
    Change(
        "a number in a module",
        """
lib = types.ModuleType("lib")
lib.on = True
def f(x):
    return x * 2 if lib.on else x  # here
""",
        "lib.on = False",
        "lib.on",
    ),
    Change(
        "a partial function replaced",
        """
def scale(factor, x):
    return x * factor
double = functools.partial(scale, 2)
def f(x):
    return double(x)  # here
""",
        "double = functools.partial(scale, 3)",
        "double",
    ),
    Change(
        "a function in a table of functions",
        """
TABLE = {"scale": lambda x: x * 2}
def f(x):
    return TABLE["scale"](x)  # here
""",
        "TABLE['scale'] = lambda x: x * 3",
        "TABLE['scale']",
    ),
)

ARGUMENTS = (
    Change(
        "the dtype of an argument",
        "def f(x):\n    return x + 1\n",
        "",
        "x",
        again="f(X.astype('float64'))",
        here=False,
    ),
    Change(
        "the shape of an argument",
        "def f(x):\n    return x + 1\n",
        "",
        "x",
        again="f(pl.ones((2, 3)))",
        here=False,
    ),
    Change(
        "the kind of an argument",
        "def f(x):\n    return x + 1\n",
        "",
        "x",
        again="f(X.numpy().copy())",
        here=False,
    ),
    Change(
        "a string argument",
        "def f(x, mode):\n    return x + 1 if mode == 'up' else x - 1\n",
        "",
        "mode",
        call="f(X, 'up')",
        again="f(X, 'down')",
        here=False,
    ),
    Change(
        "the length of a list argument",
        "def f(items):\n    return sum(items)\n",
        "",
        "items[1]",
        call="f([X])",
        again="f([X, X + 1])",
        here=False,
    ),
    Change(
        "a key of a dict argument",
        "def f(table):\n    return sum(table.values())\n",
        "",
        "table['b']",
        call="f({'a': X})",
        again="f({'a': X, 'b': X + 1})",
        here=False,
    ),
    Change(
        "a number argument that a test reads",
        """
def f(x, n):
    if n > 2:  # here
        return x * n
    return x
""",
        "",
        "n",
        call="f(X, 3)",
        again="f(X, 1)",
    ),
    Change(
        "a number argument in arithmetic",
        "def f(x, n):\n    return x * n\n",
        "",
        "n",
        call="f(X, 3)",
        again="f(X, 1)",
        here=False,
    ),
    Change(
        "values of an argument's tensor",
        "def f(x):\n    return x * 2\n",
        "",
        None,
        again="f(X + 1)",
        here=False,
    ),
)

#: Numbers that are used in arithmetic alone: one capture makes them inputs, then none is needed.
NUMBERS = (
    Change(
        "a global number in arithmetic",
        """
RATE = 0.5
def f(x):
    return x * RATE  # here
""",
        "RATE = RATE + 1.25",
        "RATE",
    ),
    Change(
        "a global int in arithmetic",
        """
RATE = 2
def f(x):
    return x * RATE  # here
""",
        "RATE = RATE + 1",
        "RATE",
    ),
    Change(
        "a number attribute in arithmetic",
        """
class Config:
    rate = None
config = Config()
config.rate = 0.5
def f(x):
    return x * config.rate  # here
""",
        "config.rate += 1.25",
        "config.rate",
    ),
    Change(
        "a number in a dict in arithmetic",
        """
CONFIG = {"rate": 0.5}
def f(x):
    return x * CONFIG["rate"]  # here
""",
        "CONFIG['rate'] += 1.25",
        "CONFIG['rate']",
    ),
    Change(
        "a number of an enclosing function in arithmetic",
        """
def make():
    rate = 0.5
    def f(x):
        return x * rate  # here
    def turn():
        nonlocal rate
        rate += 1.25
    return f, turn
f, turn = make()
""",
        "turn()",
        "rate",
    ),
)

KINDS = (*GLOBALS, *FUNCTIONS, *CONTAINERS, *OBJECTS, *CLOSURES, *ARGUMENTS)
