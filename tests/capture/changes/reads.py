"""Outside reads that random sequences are made of: what is there, what reads it, what changes it.

``@`` stands for a number that tells one read of a function from another, ``#`` for a random small
number, ``?`` for a random bool. Each line of ``body`` changes ``x``; ``writes`` are bodies that
leave something outside.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Read:
    """One thing outside of the function."""

    setup: str
    body: str
    changes: tuple[str, ...]


READS: tuple[Read, ...] = (
    Read("N@ = 2", "if N@ > 2:\n    x = x + N@", ("N@ = #", "N@ = #", "N@ = 2.5", "N@ = True")),
    Read("R@ = 0.5", "x = x * R@", ("R@ = #", "R@ += 0.25", "R@ = # / 2", "R@ = pl.ones(3)")),
    Read(
        "T@ = pl.ones(3)",
        "x = x + T@",
        (
            "T@ = pl.zeros(3)",
            "T@[0] = #",
            "T@ = pl.ones(3, dtype='float64')",
            "T@ = pl.ones((1, 3))",
            "T@ = np.arange(3)",
            "T@ = #",
            "T@ += #",
        ),
    ),
    Read(
        "A@ = np.ones(3, 'float32')",
        "x = x + A@ * 2",
        ("A@ = np.zeros(3, 'float32')", "A@[1] = #", "A@ = A@.astype('int64')", "A@ = A@[::-1]"),
    ),
    Read("F@ = True", "x = -x if F@ else x", ("F@ = ?", "F@ = not F@", "F@ = []", "F@ = 'yes'")),
    Read(
        "M@ = 'add'",
        "match M@:\n    case 'add':\n        x = x + 1\n    case 'mul':\n        x = x * 2",
        ("M@ = 'mul'", "M@ = 'add'", "M@ = 'none'", "M@ = None"),
    ),
    Read(
        "L@ = [1, 2.0]",
        "for e in L@:\n    x = x + e",
        (
            "L@.append(#)",
            "L@.append(pl.ones(3))",
            "L@[:1] = []",
            "L@[-1:] = [#]",
            "L@ = [#, #]",
            "L@.reverse()",
            "L@ = tuple(L@)",
            "L@ = list(L@) + [True]",
        ),
    ),
    Read(
        "K@ = [1]", "x = x * len(K@)", ("K@.append(0)", "K@.clear()", "K@ = [1, 2]", "K@ = 'abc'")
    ),
    Read(
        "D@ = {'a': 1, 'b': pl.ones(3)}",
        "for k, v in D@.items():\n    x = x + v if k != 'b' else x * v",
        (
            "D@['a'] = #",
            "D@['c'] = #",
            "D@.pop('c', None)",
            "D@['b'] = pl.zeros(3)",
            "D@['b'] = #",
            "D@ = dict(reversed(D@.items()))",
            "D@ = {}",
            "D@ = {'b': 2.0}",
        ),
    ),
    Read(
        "G@ = {'net': [{'on': True, 'size': 3}]}",
        "if G@['net'][0]['on']:\n    x = x + G@['net'][0]['size']",
        (
            "G@['net'][0]['on'] = ?",
            "G@['net'][0]['size'] = #",
            "G@['net'].insert(0, {'on': ?, 'size': #})",
            "G@ = {'net': [{'on': ?, 'size': #}]}",
        ),
    ),
    Read(
        "S@ = {1, 2}",
        "x = x + 1 if 3 in S@ else x - len(S@)",
        ("S@.add(3)", "S@.discard(3)", "S@.add(#)", "S@ = frozenset([#])"),
    ),
    Read(
        "class C@:\n    on = True\n    size = 1\nc@ = C@()",
        "if c@.on:\n    x = x + c@.size",
        (
            "C@.on = ?",
            "c@.on = ?",
            "vars(c@).pop('on', None)",
            "c@.size = #",
            "C@.size = #",
            "c@.size = pl.ones(3)",
            "c@ = C@()",
            "C@.on = property(lambda self: self.size == 1)",
        ),
    ),
    Read(
        "class P@:\n    _v = 1\n    @property\n    def v(self):\n        return self._v\np@ = P@()",
        "x = x * p@.v",
        ("p@._v = #", "P@._v = #", "P@.v = 4", "P@.v = property(lambda self: 3)"),
    ),
    Read(
        "class B@:\n    def go(self, x):\n        return x + 1\nclass E@(B@):\n    pass\ne@ = E@()",
        "x = e@.go(x)",
        (
            "B@.go = lambda self, x: x * #",
            "E@.go = lambda self, x: x - #",
            "e@.go = lambda x: x + #",
            "vars(e@).pop('go', None)",
            "e@ = E@()",
            "e@ = B@()",
        ),
    ),
    Read(
        "def h@(v):\n    return v * 2",
        "x = h@(x)",
        (
            "def h@(v):\n    return v + #",
            "h@ = lambda v: v - #",
            "h@ = abs",
            "h@ = pl.negative",
            "h@ = functools.partial(pl.add, #)",
        ),
    ),
    Read(
        "def d@(v, n=1, *, k=2):\n    return v * n + k",
        "x = d@(x)",
        ("d@.__defaults__ = (#,)", "d@.__kwdefaults__ = {'k': #}", "def d@(v):\n    return v"),
    ),
    Read(
        "def i@():\n    return 2\ndef o@(v):\n    return v + i@()",
        "x = o@(x)",
        ("def i@():\n    return #", "i@ = lambda: 0.5", "def o@(v):\n    return v - i@()"),
    ),
    Read(
        "def make@():\n    n = 1\n    def get(v):\n        return v + n if n else v\n"
        "    def put(value):\n        nonlocal n\n        n = value\n    return get, put\n"
        "get@, put@ = make@()",
        "x = get@(x)",
        ("put@(#)", "put@(0.5)", "put@(None)", "get@, put@ = make@()", "put@('')"),
    ),
    Read(
        "m@ = types.ModuleType('m')\nm@.n = 1\nm@.go = lambda v: v + 1",
        "x = m@.go(x) * m@.n",
        ("m@.n = #", "m@.go = lambda v: v * #", "m@.n = pl.ones(3)", "m@.go = pl.abs"),
    ),
    Read(
        "class Q@:\n    pass\nq@ = Q@()",
        "x = x + getattr(q@, 'n', 5) if hasattr(q@, 'n') else x * 2",
        ("q@.n = #", "vars(q@).clear()", "Q@.n = #", "q@.n = pl.ones(3)"),
    ),
    Read(
        "V@ = pl.Variable(pl.ones(3))",
        "x = x + V@",
        ("V@.assign(pl.zeros(3))", "V@ = pl.Variable(pl.ones(3) * #)", "V@ = pl.ones(3)"),
    ),
    Read(
        "W@ = collections.namedtuple('W', 'on size')(True, 2)",
        "x = x * W@.size if W@.on else x",
        ("W@ = W@._replace(on=?)", "W@ = W@._replace(size=#)", "W@ = W@._replace(size=0.5)"),
    ),
    Read(
        "@dataclasses.dataclass\nclass U@:\n    a: object\n    b: object\nu@ = U@(1, pl.ones(3))",
        "x = x * u@.a + u@.b",
        ("u@.a = #", "u@.b = #", "u@.a, u@.b = u@.b, u@.a", "u@ = U@(0.5, #)", "u@.b = u@.a"),
    ),
    Read(
        "Z@ = None", "x = x if Z@ is None else x + Z@", ("Z@ = #", "Z@ = pl.ones(3)", "Z@ = None")
    ),
    Read(
        "HK@ = [lambda v: v + 1]",
        "for hook in HK@:\n    x = hook(x)",
        ("HK@.append(lambda v: v * #)", "HK@[:1] = []", "HK@[0:1] = [abs]"),
    ),
    Read(
        "class I@:\n    def __call__(self, v):\n        return v + 1\nii@ = I@()",
        "x = ii@(x)",
        ("I@.__call__ = lambda self, v: v * #", "ii@ = lambda v: v - #", "ii@ = I@()"),
    ),
    Read(
        "def fa@(v):\n    return v + 1 if fa@.on else v\nfa@.on = True",
        "x = fa@(x)",
        ("fa@.on = ?", "fa@.on = 0", "fa@.__code__ = (lambda v: v * #).__code__"),
    ),
)

WRITES: tuple[Read, ...] = (
    Read(
        "J@ = pl.ones(3)\nY@ = J@",
        "x = x + 1 if J@ is Y@ else x + J@ + Y@",
        ("J@ = pl.ones(3)", "Y@ = J@", "Y@[0] = #", "J@, Y@ = Y@, J@"),
    ),
    Read("n@ = 0", "global n@\nn@ = n@ + 1\nx = x + n@", ("n@ = #", "n@ = 0.5")),
    Read("tot@ = pl.zeros(3)", "global tot@\ntot@ = tot@ + x", ("tot@ = pl.zeros(3)", "tot@ = 1")),
    Read("st@ = pl.zeros(3)", "st@[1] = x.max()", ("st@ = pl.ones(3)", "st@[:] = #")),
    Read(
        "class O@:\n    n = 0\no@@ = O@()",
        "o@@.n += 1\nx = x * o@@.n",
        ("o@@.n = #", "o@@ = O@()", "O@.n = #"),
    ),
    Read("dd@ = {'n': 1}", "dd@['n'] = dd@['n'] % 3 + 1\nx = x * dd@['n']", ("dd@['n'] = #",)),
    Read("log@ = []", "log@.append(x)", ("log@.clear()", "log@ = [1]")),
    Read("cc@ = {}", "cc@['last'] = x", ("cc@.clear()", "cc@['other'] = #", "cc@['last'] = #")),
    Read(
        "class KV@:\n    pass\nkv@ = KV@()\nkv@.cache = pl.zeros((4, 3))\nkv@.at = 0",
        "kv@.cache[kv@.at % 4] = x.reshape(-1)[:3]\nkv@.at += 1\nx = x + kv@.cache.sum()",
        ("kv@.at = #", "kv@.cache = pl.ones((4, 3))", "kv@.cache[0] = #"),
    ),
)
