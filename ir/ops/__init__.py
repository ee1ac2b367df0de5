"""Op records by family. A record is callable: the strict emitter, which promotes nothing."""

from plait.ir.ops.creation import constant as constant
from plait.ir.ops.creation import full as full
from plait.ir.ops.creation import iota as iota
from plait.ir.ops.elementwise import *  # noqa: F403
