"""``plait run``: run a graph's text on arrays."""

from __future__ import annotations

import io
import re
import sys
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

import click
import numpy as np
from numpy.lib.npyio import NpzFile

from plait import backends, passes
from plait.cli.output import STDIO, read_bytes, read_graph, write_bytes, write_json, write_text
from plait.cli.saved import call_saved, is_saved, load_saved
from plait.inspect import elements_json
from plait.ir import Graph, TensorType
from plait.ir.errors import GraphError, SignatureError
from plait.ir.text import name_values

Arrays = dict[str, Any]


@click.command(short_help="Run a .ir or .plait file on the arrays of a .npz file.")
@click.argument("file", metavar="FILE")
@click.option("--inputs", metavar="FILE.npz", help="Arrays by the names of the graph's inputs.")
@click.option("-o", "--output", metavar="FILE.npz", help="Where to write the outputs; - is stdout.")
@click.option(
    "--backend",
    type=click.Choice(list(backends.BACKENDS)),
    default="xla",
    show_default=True,
    help="Who runs it.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the outputs as JSON.")
def run(file: str, inputs: str | None, output: str | None, backend: str, as_json: bool) -> None:
    """Run the graph in FILE.ir (- is stdin), or the saved function in FILE.plait.

    The inputs are matched by name, or in order when the arrays are named arr_0, arr_1, ... (as
    numpy.savez names positional ones). The outputs are out0, out1, ...: printed, or written with
    -o. What the graph itself prints goes to stderr. A saved function's variables are read, and
    not written back.
    """
    if file == STDIO and inputs == STDIO:
        raise click.UsageError("graph and inputs cannot both come from stdin")
    if as_json and output is not None and output.endswith(".npz"):
        raise click.UsageError("--json writes JSON: name another file than .npz")
    given = read_arrays(inputs) if inputs is not None else {}
    with redirect_stdout(sys.stderr):
        if is_saved(file):
            function = load_saved(file, backend)
            count = len(function.saved.manifest.given)
            results = call_saved(function, match_inputs(function.saved.graph, given, count))
        else:
            graph = read_graph(file)
            results = execute(graph, match_inputs(graph, given), backend)
    named = {f"out{i}": result for i, result in enumerate(results)}
    if as_json:
        write_json({"outputs": [output_json(n, a) for n, a in named.items()]}, output or STDIO)
    elif output is not None:
        write_bytes(pack(named), output)
    else:
        write_text("\n".join(map(output_text, named, named.values())), STDIO)


def read_arrays(file: str) -> Arrays:
    """The arrays of a ``.npz`` file.

    Raises
    ------
    GraphError
        It is none, is cut, or holds Python objects.
    """
    data = read_bytes(file)
    try:
        found = np.load(io.BytesIO(data), allow_pickle=False)
        arrays = {name: found[name] for name in found} if isinstance(found, NpzFile) else None
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        reason = str(error).partition("\n")[0]
        raise GraphError(f"{file} is not a whole .npz file of numeric arrays: {reason}") from None
    if arrays is None:
        raise GraphError(f"{file} holds one array; save it by name with numpy.savez")
    return arrays


def match_inputs(graph: Graph, given: Arrays, count: int | None = None) -> list[Any]:
    """The graph's arguments, or the first ``count``, from arrays by name, or by position.

    Raises
    ------
    SignatureError
        A name is missing or not the graph's, or an array is of another type.
    """
    names = name_values(graph)
    wanted = {names[v]: v.type for v in graph.inputs[:count]}
    positional = {f"arr_{i}" for i in range(len(given))}
    if given and given.keys() == positional and not positional & wanted.keys():
        if len(given) != len(wanted):
            raise SignatureError(f"{graph.name} takes {_listed(wanted)}; got {len(given)} array(s)")
        given = {name: given[f"arr_{i}"] for i, name in enumerate(wanted)}
    missing = [name for name in wanted if name not in given]
    unknown = [name for name in given if name not in wanted]
    if missing or unknown:
        problems = [f"there is no array {', '.join(missing)}"] if missing else []
        problems += [f"{', '.join(unknown)} is no input"] if unknown else []
        hint = "" if given else "; give them with --inputs FILE.npz"
        raise SignatureError(
            f"{graph.name} takes {_listed(wanted) or 'no inputs'}: {' and '.join(problems)}{hint}"
        )
    return [match_type(name, given[name], type_) for name, type_ in wanted.items()]


def _listed(wanted: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {type_}" for name, type_ in wanted.items())


def match_type(name: str, array: Any, wanted: Any) -> Any:
    """An array of exactly the wanted type; named dimensions take any size.

    Raises
    ------
    SignatureError
        It is of another dtype or shape, or the input is no tensor.
    """
    if not isinstance(wanted, TensorType):
        raise SignatureError(f"input {name} is a {wanted}; the command line gives tensors only")
    if array.dtype.kind == "V" and array.dtype.itemsize == 2 and wanted.dtype.itemsize == 2:
        array = array.view(wanted.dtype)  # NumPy's files do not know bfloat16.
    native = array.dtype.newbyteorder("=")
    fits = len(array.shape) == len(wanted.shape) and all(
        not isinstance(w, int) or n == w for n, w in zip(array.shape, wanted.shape, strict=False)
    )
    if native != wanted.dtype or not fits:
        shape = ",".join(map(str, array.shape))
        raise SignatureError(
            f"input {name} is {wanted}, got {native.name}[{shape}]; convert the array first"
        )
    return np.asarray(array, native, order="C")


def execute(graph: Graph, arrays: list[Any], backend: str) -> list[Any]:
    """Run a graph; a failed check raises what eager execution raises, at the user's line."""
    if backend == "reference":
        results = backends.get_backend(backend).compile(graph)(*arrays)
        return [np.asarray(r) for r in results]
    lowered, checks = passes.lower_checks(graph)
    results = list(backends.get_backend(backend).compile(lowered)(*arrays))
    if checks:
        status = np.asarray(results.pop())
        if status[0]:
            raise checks[int(status[0]) - 1].exception(status)
    return [np.asarray(r) for r in results]


def pack(arrays: Mapping[str, Any]) -> bytes:
    """The bytes of a ``.npz`` file; equal for equal arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def output_json(name: str, array: Any) -> dict[str, Any]:
    """One output with its elements, flat, as in the JSON form of graphs."""
    type_ = TensorType(array.dtype, array.shape)
    return {"name": name, "type": str(type_), "data": elements_json(array)}


def output_text(name: str, array: Any) -> str:
    """One output as text; a long array is shortened."""
    shown = re.sub(r"\n\s*\n", "\n", np.array2string(array, separator=", "))
    return f"{name}: {TensorType(array.dtype, array.shape)} =\n{shown}"
