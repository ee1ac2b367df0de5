"""Graphs as stand-alone NumPy programs."""

from plait.inspect.program.entry import Entry as Entry
from plait.inspect.program.writer import Program as Program
from plait.inspect.program.writer import python as python
from plait.inspect.program.writer import write_program as write_program
