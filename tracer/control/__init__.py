"""What converted code calls: staged control flow, and the hooks of reads, writes and calls."""

from plait.tracer.control.augment import SCALARS as SCALARS
from plait.tracer.control.augment import augment as augment
from plait.tracer.control.branch import test as test
from plait.tracer.control.branch import use as use
from plait.tracer.control.calls import call as call
from plait.tracer.control.calls import callback as callback
from plait.tracer.control.calls import manager as manager
from plait.tracer.control.calls import method as method
from plait.tracer.control.for_ import for_ as for_
from plait.tracer.control.for_ import listed as listed
from plait.tracer.control.logic import and_ as and_
from plait.tracer.control.logic import contains as contains
from plait.tracer.control.logic import if_expression as if_expression
from plait.tracer.control.logic import not_ as not_
from plait.tracer.control.logic import or_ as or_
from plait.tracer.control.lookups import frame as frame
from plait.tracer.control.lookups import imported as imported
from plait.tracer.control.lookups import is_ as is_
from plait.tracer.control.loop import while_ as while_
from plait.tracer.control.methods import percent as percent
from plait.tracer.control.raising import assert_ as assert_
from plait.tracer.control.raising import raise_ as raise_
from plait.tracer.control.reads import attr as attr
from plait.tracer.control.reads import attr_part as attr_part
from plait.tracer.control.reads import enter as enter
from plait.tracer.control.reads import item as item
from plait.tracer.control.reads import item_part as item_part
from plait.tracer.control.reads import read as read
from plait.tracer.control.reads import read_part as read_part
from plait.tracer.control.site import Site as Site
from plait.tracer.control.text import format_ as format_
from plait.tracer.control.trying import before_yield as before_yield
from plait.tracer.control.trying import caught as caught
from plait.tracer.control.trying import final_begin as final_begin
from plait.tracer.control.trying import final_end as final_end
from plait.tracer.control.trying import try_begin as try_begin
from plait.tracer.control.trying import try_end as try_end
from plait.tracer.control.writes import del_attr as del_attr
from plait.tracer.control.writes import del_item as del_item
from plait.tracer.control.writes import delete as delete
from plait.tracer.control.writes import set_attr as set_attr
from plait.tracer.control.writes import set_item as set_item
from plait.tracer.control.writes import write as write
from plait.tracer.outcome import Break as Break
from plait.tracer.outcome import Restart as Restart
from plait.tracer.places import UNBOUND as UNBOUND

#: Iterables that a ``for`` goes over natively without asking.
PLAIN = frozenset((list, tuple, dict, set, frozenset, str, bytes))
