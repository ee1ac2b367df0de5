"""The command line: ``plait show``, ``plait opt``, ``plait run``."""

from plait.cli.entry import main as main
