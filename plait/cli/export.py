"""``plait export``: a function as a program of NumPy's or StableHLO's."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

import click

from plait.cli.diagnostics import source
from plait.cli.output import STDIO, write_json, write_text
from plait.cli.run import match_type, read_arrays
from plait.cli.target import Target, check_arguments, load_target, user_code
from plait.ir.errors import SignatureError
from plait.tracer import TensorSpec, flatten, parse_specs, unflatten


@click.command(short_help="Write a function as a NumPy program (.py) or as StableHLO (.mlir).")
@click.argument("target")
@click.option("-o", "--output", required=True, metavar="FILE", help="cell.py or cell.mlir.")
@click.option("--spec", default="", help="Types of the arguments, such as 'f32[8,16] i32[], k=2'.")
@click.option(
    "--inputs", metavar="FILE.npz", help="Arguments to compare on, in the order of the specs."
)
@click.option(
    "--checks",
    type=click.Choice(("drop", "status")),
    default="drop",
    show_default=True,
    help="In a .mlir file: no checks, or one more output that says which one failed.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
def export(
    target: str, output: str, spec: str, inputs: str | None, checks: str, as_json: bool
) -> None:
    """Export TARGET: file.py:function, module:Class.method, or a .plait file.

    The file needs nothing of Plait. What the function captures is in it, or for a .py file in a
    .npz file beside. The report says how far the results are from eager execution, on the arrays
    of --inputs or on generated ones.
    """
    with source(spec):
        args, kwargs = parse_specs(spec)
    with load_target(target) as found:
        check_arguments(found, args, kwargs)
        if not args and not kwargs and found.function.signature is not None:
            args, kwargs = found.function.signature
        if inputs is not None:
            args, kwargs = with_arrays(found, args, kwargs, read_arrays(inputs))
        with user_code(f"while exporting {found.name}"), redirect_stdout(sys.stderr):
            report = found.function.export(output, *args, checks=checks, **kwargs)
    if as_json:
        write_json(report.as_dict(), STDIO)
    else:
        write_text(report.as_text(), STDIO)


def with_arrays(
    target: Target, args: tuple[Any, ...], kwargs: dict[str, Any], arrays: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with arrays in the places of the tensors' types, in order.

    Raises
    ------
    SignatureError
        There are more or fewer arrays, or one is of another type.
    """
    leaves, tree = flatten((args, kwargs))
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, TensorSpec)]
    if len(places) != len(arrays):
        raise SignatureError(
            f"{target.name} takes {len(places)} tensors, but --inputs has {len(arrays)} arrays"
        )
    for place, (name, array) in zip(places, arrays.items(), strict=True):
        leaves[place] = match_type(name, array, leaves[place].type)
    made: tuple[tuple[Any, ...], dict[str, Any]] = unflatten(tree, leaves)
    return made
