"""Graphs as stand-alone NumPy programs."""

from plait.inspect.program import arrays as arrays
from plait.inspect.program import elementwise as elementwise
from plait.inspect.program.entry import Entry as Entry
from plait.inspect.program.literals import array_text as array_text
from plait.inspect.program.literals import quoted as quoted
from plait.inspect.program.names import identifier as identifier
from plait.inspect.program.writer import Program as Program
from plait.inspect.program.writer import python as python
from plait.inspect.program.writer import write_program as write_program
