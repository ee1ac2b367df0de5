"""What converted code calls: staged control flow, and the hooks of reads, writes and calls."""

from plait.tracer.control.site import Site as Site
from plait.tracer.outcome import Break as Break
from plait.tracer.outcome import Restart as Restart
from plait.tracer.places import UNBOUND as UNBOUND
from plait.tracer.control.branch import result as result
from plait.tracer.control.branch import test as test
from plait.tracer.control.branch import use as use
