"""Promoting, broadcasting functions over the strict ops: what users reach."""

from plait.ir.functions.elementwise import *  # noqa: F403
from plait.ir.functions.indexing import *  # noqa: F403
from plait.ir.functions.logic import *  # noqa: F403
from plait.ir.functions.norms import *  # noqa: F403
from plait.ir.functions.parts import *  # noqa: F403
from plait.ir.functions.picking import *  # noqa: F403
from plait.ir.functions.reductions import *  # noqa: F403
from plait.ir.functions.statistics import *  # noqa: F403
