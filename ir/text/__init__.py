"""The text form of graphs and plans."""

from plait.ir.text.attributes import format_attributes as format_attributes
from plait.ir.text.attributes import format_literal as format_literal
from plait.ir.text.attributes import format_value as format_value
from plait.ir.text.attributes import ordered_attributes as ordered_attributes
from plait.ir.text.files import decode as decode
from plait.ir.text.files import load_graph as load_graph
from plait.ir.text.files import pack_constants as pack_constants
from plait.ir.text.files import replace_file as replace_file
from plait.ir.text.files import save_graph as save_graph
from plait.ir.text.files import unpack_constants as unpack_constants
from plait.ir.text.names import name_values as name_values
from plait.ir.text.names import quote_value as quote_value
from plait.ir.text.parser import parse as parse
from plait.ir.text.plans import print_plan as print_plan
from plait.ir.text.printer import INLINE_ELEMENTS as INLINE_ELEMENTS
from plait.ir.text.printer import large_constants as large_constants
from plait.ir.text.printer import print_graph as print_graph
from plait.ir.text.printer import print_node as print_node
