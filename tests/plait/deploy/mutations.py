"""Files of saved functions, broken at random: reading one gives a function, or one kind of error.

``python -m tests.plait.deploy.mutations --count 10000`` runs a campaign; each line that it prints
names the seed that makes the file again.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import signal
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import plait as pl
from plait.deploy import archive
from plait.ir.errors import SavedFileError

#: Longest that reading one file may take, in seconds.
PATIENCE = 20
#: What reading a file never does, by the names of Python's audit events.
FORBIDDEN = (
    "subprocess.",
    "os.system",
    "os.exec",
    "os.spawn",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.putenv",
    "socket.",
    "ctypes.",
    "pickle.",
    "urllib.",
)
HUGE = ("-1", "0", "1", "7", "4096", str(2**31), str(2**62), str(10**18), "9" * 400, "1e308")
WORDS = (
    "x",
    "f32[2]",
    "f32[n]",
    "token",
    "none",
    "true",
    "python",
    "@const_0",
    "?b",
    "nan",
    "{",
    ")",
)

_state: dict[str, Any] = {"watching": False, "seen": []}


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _state["watching"] and (event.startswith(FORBIDDEN) or _writes(event, args)):
        _state["seen"].append(event)


def _writes(event: str, args: tuple[Any, ...]) -> bool:
    return event == "open" and isinstance(args[1], str) and bool(set("wax+") & set(args[1]))


sys.addaudithook(_hook)


def samples() -> list[bytes]:
    """Small files that hold a bit of everything."""
    weight = pl.Variable(np.ones((3, 2), np.float32), name="weight")
    generator = pl.random.Generator(3)

    @pl.graph_function(name="step")
    def step(x: Any, params: Any, scale: float = 2.0, *, mode: str = "a") -> Any:
        y = pl.tanh(x @ weight + params["b"]) * scale
        while pl.sum(y) > 1.0:
            y = y * 0.5
        weight.assign_sub(pl.ones((3, 2)) * 0.1)
        assert pl.min(y) > -1e6, f"too small: {pl.min(y)}"
        noise = generator.uniform((2,))
        return {
            "y": y + noise,
            "table": pl.asarray(np.arange(20.0)),
            "text": f"{pl.sum(y)}",
            "n": 3,
        }

    @pl.graph_function(name="plain")
    def plain(x: Any) -> Any:
        return x * 2.0, [x]

    made = []
    for function, specs in ((step, ("f32[b,3]", {"b": pl.TensorSpec((2,))})), (plain, ("f32[n]",))):
        buffer = _saved(function, specs)
        made.append(buffer)
    return made


def _saved(function: Any, specs: Any) -> bytes:
    from plait.deploy.saving import package, to_bytes

    return to_bytes(package(function, function.trace(*specs)._program))


Mutation = Callable[[random.Random, bytes], bytes]


def flip(source: random.Random, data: bytes) -> bytes:
    """Some bytes are others."""
    changed = bytearray(data)
    for _ in range(source.choice((1, 1, 2, 8, 64))):
        changed[source.randrange(len(changed))] = source.randrange(256)
    return bytes(changed)


def cut(source: random.Random, data: bytes) -> bytes:
    """The end is missing, or the beginning."""
    at = source.randrange(len(data))
    return data[:at] if source.random() < 0.7 else data[at:]


def splice(source: random.Random, data: bytes) -> bytes:
    """A stretch stands elsewhere, too."""
    a, b, c = sorted(source.randrange(len(data)) for _ in range(3))
    return data[:c] + data[a:b] + data[c:]


def _signed(members: dict[str, bytes]) -> bytes:
    """A file with these members, whose manifest knows them."""
    try:
        manifest = json.loads(members[archive.MANIFEST])
        for name in manifest["members"]:
            manifest["members"][name] = [len(members[name]), archive.digest(members[name])]
        members = {**members, archive.MANIFEST: json.dumps(manifest).encode()}
    except (ValueError, KeyError, TypeError, RecursionError):
        pass  # it is broken already
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


def _tokens(source: random.Random, text: str) -> str:
    parts = re.split(r"(\W)", text)
    for _ in range(source.choice((1, 1, 2, 5))):
        i = source.randrange(len(parts))
        parts[i] = source.choice((*HUGE, *WORDS, parts[source.randrange(len(parts))], ""))
    return "".join(parts)


def graph_tokens(source: random.Random, data: bytes) -> bytes:
    """The text of the graph says something else, under a right hash."""
    members = archive.unpack(data)
    text = _tokens(source, members[archive.GRAPH].decode())
    return _signed({**members, archive.GRAPH: text.encode()})


def manifest_tokens(source: random.Random, data: bytes) -> bytes:
    """The manifest says something else."""
    members = archive.unpack(data)
    text = _tokens(source, members[archive.MANIFEST].decode())
    return _signed({**members, archive.MANIFEST: text.encode()})


def manifest_values(source: random.Random, data: bytes) -> bytes:
    """A value of the manifest is another one."""
    members = archive.unpack(data)
    manifest = json.loads(members[archive.MANIFEST])
    _replace_somewhere(source, manifest)
    return _signed({**members, archive.MANIFEST: json.dumps(manifest).encode()})


def _replace_somewhere(source: random.Random, holder: Any) -> None:
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    if not keys:
        return
    key = source.choice(keys)
    inner = holder[key]
    if isinstance(inner, (dict, list)) and inner and source.random() < 0.75:
        return _replace_somewhere(source, inner)
    nested: Any = []
    for _ in range(300):
        nested = [nested]
    values: Any = (
        None,
        True,
        0,
        -1,
        10**18,
        "",
        "x",
        "f32[3]",
        [],
        {},
        {"float": "inf"},
        nested,
        inner,
    )
    action = source.randrange(4)
    if action == 0 and isinstance(holder, list):
        holder.insert(key, inner)
    elif action == 1:
        del holder[key]
    else:
        holder[key] = source.choice(values)


def weights(source: random.Random, data: bytes) -> bytes:
    """The weights are broken, under a right hash."""
    members = archive.unpack(data)
    change = source.choice((flip, cut, splice))
    return _signed({**members, archive.WEIGHTS: change(source, members[archive.WEIGHTS])})


def members_otherwise(source: random.Random, data: bytes) -> bytes:
    """Members are missing, compressed, renamed, or there twice."""
    members = archive.unpack(data)
    names = ("../../evil", "/etc/passwd", "graph.ir", "a/b", "weights.safetensors\0x", "x" * 300)
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as file:
        warnings.simplefilter("ignore")  # of names that stand twice
        for name, content in members.items():
            action = source.randrange(6)
            if action == 0:
                continue
            how = zipfile.ZIP_DEFLATED if action == 1 else zipfile.ZIP_STORED
            given = source.choice(names) if action == 2 else name
            info = zipfile.ZipInfo(given)
            info.compress_type = how
            file.writestr(info, b"\0" * 10**6 if action == 3 else content)
    return buffer.getvalue()


MUTATIONS: tuple[Mutation, ...] = (
    flip,
    cut,
    splice,
    graph_tokens,
    graph_tokens,
    manifest_tokens,
    manifest_values,
    manifest_values,
    weights,
    members_otherwise,
)


def mutated(files: list[bytes], seed: int) -> tuple[str, bytes]:
    """The name of a mutation, and the file of a seed."""
    source = random.Random(seed)
    data = source.choice(files)
    mutation = source.choice(MUTATIONS)
    return mutation.__name__, mutation(source, data)


def read(path: Path, data: bytes) -> str:
    """Read a file: ``"read"`` or ``"refused"``; anything else that happens is raised."""
    path.write_bytes(data)
    _state["seen"], _state["watching"] = [], True
    try:
        pl.load(path, backend="reference")
        outcome = "read"
    except SavedFileError:
        outcome = "refused"
    finally:
        _state["watching"] = False
    if _state["seen"]:
        raise AssertionError(f"reading a file did {_state['seen'][:3]}")
    return outcome


def _too_long(*_: Any) -> None:
    raise TimeoutError(f"longer than {PATIENCE} seconds")


def campaign(count: int, start: int, folder: Path) -> int:
    """Read many files; gives the number of failures."""
    path = folder / "mutated.plait"
    files = samples()
    for data in files:
        assert read(path, data) == "read"
    outcomes: Counter[str] = Counter()
    failures = 0
    signal.signal(signal.SIGALRM, _too_long)
    for seed in range(start, start + count):
        name, data = mutated(files, seed)
        signal.alarm(PATIENCE)
        try:
            outcomes[f"{name}: {read(path, data)}"] += 1
        except Exception as error:
            failures += 1
            print(f"seed {seed}: {name}: {type(error).__name__}: {str(error)[:200]}", flush=True)
        finally:
            signal.alarm(0)
    for outcome, times in sorted(outcomes.items()):
        print(f"{times:6}  {outcome}")
    print(f"{count} files, {failures} failures")
    return failures


def main() -> int:
    """The campaign's command line."""
    parser = argparse.ArgumentParser(description=campaign.__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--start", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return 1 if campaign(given.count, given.start, Path(folder)) else 0


if __name__ == "__main__":
    sys.exit(main())
