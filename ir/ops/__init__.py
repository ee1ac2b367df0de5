"""Op records by family. A record is callable: the strict emitter, which promotes nothing."""

from plait.ir.ops.control import *  # noqa: F403
from plait.ir.ops.convolution import *  # noqa: F403
from plait.ir.ops.creation import *  # noqa: F403
from plait.ir.ops.cumulative import *  # noqa: F403
from plait.ir.ops.custom import *  # noqa: F403
from plait.ir.ops.effects import *  # noqa: F403
from plait.ir.ops.elementwise import *  # noqa: F403
from plait.ir.ops.encoding import *  # noqa: F403
from plait.ir.ops.foreign import *  # noqa: F403
from plait.ir.ops.guarded import *  # noqa: F403
from plait.ir.ops.indexing import *  # noqa: F403
from plait.ir.ops.linear import *  # noqa: F403
from plait.ir.ops.manipulation import *  # noqa: F403
from plait.ir.ops.random import *  # noqa: F403
from plait.ir.ops.reductions import *  # noqa: F403
from plait.ir.ops.searching import *  # noqa: F403
from plait.ir.ops.softmax import *  # noqa: F403
from plait.ir.ops.special import *  # noqa: F403
