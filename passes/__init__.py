"""Graph to graph, and graph to plan."""

from plait.passes import dce as dce
from plait.passes import fold as fold
from plait.passes import inline as inline
from plait.passes import simplify as simplify
from plait.passes.infrastructure import Firing as Firing
from plait.passes.infrastructure import Pass as Pass
from plait.passes.infrastructure import all_passes as all_passes
from plait.passes.infrastructure import get_pass as get_pass
from plait.passes.infrastructure import parse_pass as parse_pass
from plait.passes.infrastructure import parse_passes as parse_passes
from plait.passes.infrastructure import register_pass as register_pass
from plait.passes.pipeline import DEFAULT_PIPELINE as DEFAULT_PIPELINE
from plait.passes.pipeline import Listener as Listener
from plait.passes.pipeline import PassReport as PassReport
from plait.passes.pipeline import Pipeline as Pipeline
from plait.passes.pipeline import PipelineReport as PipelineReport
from plait.passes.pipeline import PipelineResult as PipelineResult
from plait.passes.pipeline import count_nodes as count_nodes
from plait.passes.pipeline import print_after_change as print_after_change
from plait.passes.pipeline import run_pipeline as run_pipeline
from plait.passes.rewriter import Rewriter as Rewriter
from plait.passes.rewriter import Rule as Rule
from plait.passes.rewriter import RuleSet as RuleSet
from plait.passes.rules import all_rules as all_rules
