"""Batching: ops and graphs applied to many rows at once; rules by family, loaded on first need."""

from plait.ir.batching import convolution as convolution
from plait.ir.batching import creation as creation
from plait.ir.batching import cumulative as cumulative
from plait.ir.batching import custom as custom
from plait.ir.batching import define as define
from plait.ir.batching import effects as effects
from plait.ir.batching import encoding as encoding
from plait.ir.batching import foreign as foreign
from plait.ir.batching import graphs as graphs
from plait.ir.batching import indexing as indexing
from plait.ir.batching import linear as linear
from plait.ir.batching import manipulation as manipulation
from plait.ir.batching import random as random
from plait.ir.batching import reductions as reductions
from plait.ir.batching import regions as regions
from plait.ir.batching import searching as searching
from plait.ir.batching import softmax as softmax
from plait.ir.batching.define import define_batch as define_batch
from plait.ir.batching.define import move_axis as move_axis
from plait.ir.batching.define import move_to_front as move_to_front
from plait.ir.batching.define import to_front as to_front
from plait.ir.batching.define import with_batch_axis as with_batch_axis
from plait.ir.batching.define import without_rows as without_rows
from plait.ir.batching.elementwise import rule_of as rule_of
from plait.ir.batching.graphs import apply_batched as apply_batched
from plait.ir.batching.graphs import batch_graph as batch_graph
