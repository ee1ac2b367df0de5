"""Promoting, broadcasting functions over the strict ops: what users reach."""

from plait.ir.functions import keys as keys
from plait.ir.functions import payload as payload
from plait.ir.functions import random as random
from plait.ir.functions.activations import *  # noqa: F403
from plait.ir.functions.arithmetic import *  # noqa: F403
from plait.ir.functions.attention import *  # noqa: F403
from plait.ir.functions.choosing import *  # noqa: F403
from plait.ir.functions.convolution import *  # noqa: F403
from plait.ir.functions.counting import *  # noqa: F403
from plait.ir.functions.covariance import *  # noqa: F403
from plait.ir.functions.creation import *  # noqa: F403
from plait.ir.functions.cumulative import *  # noqa: F403
from plait.ir.functions.curves import *  # noqa: F403
from plait.ir.functions.diagonals import *  # noqa: F403
from plait.ir.functions.editing import *  # noqa: F403
from plait.ir.functions.einsum import *  # noqa: F403
from plait.ir.functions.elementwise import *  # noqa: F403
from plait.ir.functions.encoding import *  # noqa: F403
from plait.ir.functions.grids import *  # noqa: F403
from plait.ir.functions.indexing import *  # noqa: F403
from plait.ir.functions.joining import *  # noqa: F403
from plait.ir.functions.linear import *  # noqa: F403
from plait.ir.functions.logic import *  # noqa: F403
from plait.ir.functions.manipulation import *  # noqa: F403
from plait.ir.functions.nans import *  # noqa: F403
from plait.ir.functions.norms import *  # noqa: F403
from plait.ir.functions.parts import *  # noqa: F403
from plait.ir.functions.picking import *  # noqa: F403
from plait.ir.functions.piecewise import *  # noqa: F403
from plait.ir.functions.positions import *  # noqa: F403
from plait.ir.functions.ranges import *  # noqa: F403
from plait.ir.functions.reductions import *  # noqa: F403
from plait.ir.functions.repeating import *  # noqa: F403
from plait.ir.functions.set_operations import *  # noqa: F403
from plait.ir.functions.sets import *  # noqa: F403
from plait.ir.functions.shapes import *  # noqa: F403
from plait.ir.functions.softmax import *  # noqa: F403
from plait.ir.functions.sorting import *  # noqa: F403
from plait.ir.functions.special import *  # noqa: F403
from plait.ir.functions.statistics import *  # noqa: F403
