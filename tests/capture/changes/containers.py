"""The kinds of change of containers; see ``table``."""

from __future__ import annotations

from tests.capture.changes.kind import Change

CONTAINERS = (
    Change(
        "a value in a dict",
        """
CONFIG = {"on": True}
def f(x):
    return x * 2 if CONFIG["on"] else x  # here
""",
        "CONFIG['on'] = False",
        "CONFIG['on']",
    ),
    Change(
        "a value deep in containers",
        """
CONFIG = {"net": [{"on": True}]}
def f(x):
    return x * 2 if CONFIG["net"][0]["on"] else x  # here
""",
        "CONFIG['net'][0]['on'] = False",
        "CONFIG['net'][0]['on']",
    ),
    Change(
        "a key more in a dict that is looked through",
        """
WEIGHTS = {"a": pl.ones(3)}
def f(x):
    for name in WEIGHTS:  # here
        x = x + WEIGHTS[name]
    return x
""",
        "WEIGHTS['b'] = pl.ones(3)",
        "WEIGHTS",
    ),
    Change(
        "a key less in a dict that is asked",
        """
CONFIG = {"on": 1}
def f(x):
    return x * 2 if "on" in CONFIG else x  # here
""",
        "del CONFIG['on']",
        "CONFIG",
    ),
    Change(
        "the length of a list",
        """
LAYERS = [pl.ones(3)]
def f(x):
    for layer in LAYERS:  # here
        x = x + layer
    return x
""",
        "LAYERS.append(pl.ones(3))",
        "LAYERS",
    ),
    Change(
        "the length of a list that is asked for",
        """
LAYERS = [1]
def f(x):
    return x * len(LAYERS)  # here
""",
        "LAYERS.append(1)",
        "LAYERS",
    ),
    Change(
        "an item of a list",
        """
SIZES = [3]
def f(x):
    return x.reshape(SIZES[0], -1)  # here
""",
        "SIZES[:] = [1]",
        "SIZES[0]",
    ),
    Change(
        "a tensor in a list, of the same type",
        """
LAYERS = [pl.ones(3)]
def f(x):
    return x + LAYERS[0]  # here
""",
        "LAYERS[0] = pl.zeros(3)",
        None,
    ),
    Change(
        "a tensor in a list, of another dtype",
        """
LAYERS = [pl.ones(3)]
def f(x):
    return x + LAYERS[0]  # here
""",
        "LAYERS[0] = pl.ones(3, dtype='int64')",
        "LAYERS[0]",
    ),
    Change(
        "the members of a set",
        """
NAMES = {"a"}
def f(x):
    return x * 2 if "b" in NAMES else x  # here
""",
        "NAMES.add('b')",
        "NAMES",
    ),
    Change(
        "a named tuple replaced",
        """
Config = collections.namedtuple("Config", "on size")
CONFIG = Config(True, 3)
def f(x):
    return x * 2 if CONFIG.on else x  # here
""",
        "CONFIG = CONFIG._replace(on=False)",
        "CONFIG.on",
    ),
    Change(
        "an emptied deque",
        """
QUEUE = collections.deque([1, 2])
def f(x):
    return x * len(QUEUE)  # here
""",
        "QUEUE.clear()",
        "QUEUE",
    ),
    Change(
        "a truth of a container",
        """
HOOKS = []
def f(x):
    if HOOKS:  # here
        return x * 2
    return x
""",
        "HOOKS.append(None)",
        "HOOKS",
    ),
)
