"""The entry point: commands, and one way out for every kind of failure."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from plait.cli.diagnostics import diagnose
from plait.cli.diff import diff
from plait.cli.explain import explain
from plait.cli.export import export
from plait.cli.opt import opt
from plait.cli.output import OutputClosed
from plait.cli.run import run
from plait.cli.show import show
from plait.ir.errors import PlaitError

INTERRUPTED = 130
CLOSED_PIPE = 141
INTERNAL = 70


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Errors are shown without Plait's own stack; PLAIT_FULL_TRACEBACK=1 shows it.",
)
@click.version_option(package_name="plait", prog_name="plait", message="%(prog)s %(version)s")
def cli() -> None:
    """Show, optimize, compare, run and export the graphs of Plait functions."""


cli.add_command(show)
cli.add_command(opt)
cli.add_command(run)
cli.add_command(diff)
cli.add_command(explain)
cli.add_command(export)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        ``sys.argv[1:]`` when not given.

    Returns
    -------
    int
        The exit status: 0, or 1 for an error in what was given, 2 for a wrong option, 70 for a
        fault of Plait's own, 130 when interrupted, 141 when the reader of the output went away.
    """
    try:
        status = cli.main(args=arguments, prog_name="plait", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except OutputClosed:
        # Nothing more can be written: keep the interpreter from trying at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE
    except Exception as error:
        if os.environ.get("PLAIT_FULL_TRACEBACK", "") not in ("", "0"):
            raise
        print(diagnose(error), file=sys.stderr)
        return 1 if isinstance(error, PlaitError) else INTERNAL
