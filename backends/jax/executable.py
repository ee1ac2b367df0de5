"""Graph to lowered program to compiled program, with what XLA says of each."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import jax
from jax.sharding import SingleDeviceSharding

from plait.backends.jax.calling import Call, Convention
from plait.backends.jax.devices import jax_device
from plait.backends.jax.donation import plan_donation
from plait.backends.jax.function import as_function
from plait.backends.jax.lowerings.common import shape_struct
from plait.backends.jax.lowerings.effects import TOKEN
from plait.ir import ExecutionPlan, Graph, TensorType
from plait.ir.errors import BackendError, UnknownNameError
from plait.ir.types import BytesType, Type

Options = Mapping[str, Any]


class Lowered:
    """A graph as StableHLO, not yet compiled.

    Attributes
    ----------
    graph : Graph
    convention : Convention
        How the graph's arguments and results map to the program's.
    device : Device or None
        Where it runs.
    """

    def __init__(self, graph: Graph, convention: Convention, lowered: Any, device: Any) -> None:
        self.graph = graph
        self.convention = convention
        self.device = device
        self._lowered = lowered

    def as_text(self, form: str = "stablehlo", *, locations: bool = False) -> str:
        """The program as StableHLO; with ``locations``, where each op comes from."""
        if form != "stablehlo":
            raise UnknownNameError(f"a lowered graph has the form 'stablehlo', not {form!r}")
        text: str = self._lowered.as_text(debug_info=locations)
        return text

    def cost_analysis(self) -> Mapping[str, float]:
        """XLA's estimate of FLOPs and bytes; a loop's body counts once."""
        return plain_costs(self._lowered.cost_analysis())

    def compile(self, options: Options | None = None) -> XlaExecutable:
        """Compile with XLA. ``options`` are XLA's debug options by name.

        Raises
        ------
        BackendError
            XLA refuses the program or an option.
        """
        try:
            with jax.enable_x64(True):
                compiled = self._lowered.compile(compiler_options=dict(options or {}) or None)
        except jax.errors.JaxRuntimeError as error:
            raise BackendError(f"xla cannot compile {self.graph.name!r}: {error}") from error
        return XlaExecutable(self, compiled)


class XlaExecutable:
    """A graph compiled ahead of time by XLA.

    Attributes
    ----------
    backend : str
    lowered : Lowered
    call : callable
        The same as calling the object, without Python's detour through it: flat arrays in, a
        sequence of arrays out. Results may still be being computed.
    """

    backend = "xla"
    __slots__ = ("_compiled", "call", "lowered")

    def __init__(self, lowered: Lowered, compiled: Any) -> None:
        self.lowered = lowered
        self._compiled = compiled
        self.call: Call = lowered.convention.wrap(compiled.__call__)

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        """Run on flat NumPy or jax arrays of exactly the graph's input types."""
        return self.call(*arrays)

    def place(self, array: Any) -> Any:
        """A copy of an ndarray as a jax array where the program runs, which calls take sooner."""
        with jax.enable_x64(True):
            return jax.device_put(array.copy(), jax_device(self.lowered.device))

    def memory_analysis(self) -> Mapping[str, int]:
        """Bytes of ``arguments``, ``outputs``, ``temporaries``, ``aliases``, and their ``total``.

        The total is arguments + outputs + temporaries - aliases; XLA's own figure of the peak
        leaves temporaries out.
        """
        found = self._compiled.memory_analysis()
        sizes = {
            "arguments": int(found.argument_size_in_bytes),
            "outputs": int(found.output_size_in_bytes),
            "temporaries": int(found.temp_size_in_bytes),
            "aliases": int(found.alias_size_in_bytes),
        }
        return {**sizes, "total": sum(sizes.values()) - 2 * sizes["aliases"]}

    def cost_analysis(self) -> Mapping[str, float]:
        """XLA's estimate of FLOPs and bytes of the compiled program; a loop's body counts once."""
        return plain_costs(self._compiled.cost_analysis())

    def as_text(self, form: str = "hlo") -> str:
        """``"stablehlo"``, as it went into XLA, or ``"hlo"``, as XLA optimized it."""
        if form == "hlo":
            return without_frames(self._compiled.as_text())
        if form == "stablehlo":
            return self.lowered.as_text()
        raise UnknownNameError(f"an xla executable has the forms stablehlo and hlo, not {form!r}")

    def __repr__(self) -> str:
        return f"<XlaExecutable {self.lowered.graph.name}>"


_TABLES = re.compile(
    r"^(?:FileNames|FunctionNames|FileLocations|StackFrames)\n(?:\d.*\n)*\n?", re.MULTILINE
)
_FRAME = re.compile(
    r" ?(?:stack_frame_id=\d+|source_file=\"[^\"]*\"|source_(?:end_)?(?:line|column)=\d+)"
)


def without_frames(text: str) -> str:
    """HLO text without jax's own stack frames, which differ from machine to machine."""
    return _FRAME.sub("", _TABLES.sub("", text))


def plain_costs(found: Any) -> dict[str, float]:
    """The figures of a cost analysis by name."""
    if isinstance(found, list):
        found = found[0] if found else {}
    return {str(k): float(v) for k, v in (found or {}).items()}


def wanted_aliases(
    plan: ExecutionPlan | None, donated: Collection[int]
) -> tuple[Mapping[int, int] | None, Collection[int]]:
    """Output to input as far as the caller chose, and the donated inputs."""
    if plan is not None:
        return plan.aliases, plan.donated
    if isinstance(donated, Mapping):
        return {output: i for i, output in donated.items()}, donated.keys()
    return None, donated


def lower(
    graph: Graph,
    *,
    plan: ExecutionPlan | None = None,
    donated: Collection[int] = (),
    device: Any = None,
) -> Lowered:
    """Lower a graph to StableHLO, each op named after its node as in ``jit(lstm_cell)/tanh_6``.

    Parameters
    ----------
    graph : Graph
        Its shapes are numbers, and its checks are lowered to a status output.
    plan : ExecutionPlan, optional
        Gives the donated inputs and the outputs that take them over.
    donated : collection of int, or mapping of int to int
        Inputs that the caller gives up at each call, when there is no plan; a mapping says which
        output takes each one over.
    device : Device, optional
        Where to run; the first CPU by default.

    Raises
    ------
    BackendError
        The graph has something that XLA does not do.
    """
    for value in (*graph.inputs, *graph.outputs):
        check_type(graph, value.type)
    wanted, given = wanted_aliases(plan, donated)
    read = {v for n in graph.nodes for v in n.operands} | set(graph.outputs)
    used = tuple(
        [i for i, v in enumerate(graph.inputs) if v in read and type(v.type) is TensorType]
    )
    given = set(given) & set(used)
    donation = plan_donation(graph.input_types, graph.output_types, given, wanted)
    tokens = tuple([i for i, t in enumerate(graph.output_types) if type(t) is not TensorType])
    effects = any(n.op.is_host_effect for n in graph.walk())
    convention = Convention(graph.input_types, used, donation.order, tokens, effects)
    target = jax_device(device)
    function = program(graph, used, donation.order)
    places = tuple([k for k, i in enumerate(used) if i in donation.inputs])
    with jax.enable_x64(True), nullcontext() if target is None else jax.default_device(target):
        specs = [spec(graph.inputs[i].type, target) for i in used]
        # What nothing reads is left out above; jax need not look for it again.
        lowered = jax.jit(function, donate_argnums=places, keep_unused=True).lower(*specs)
    return Lowered(graph, convention, lowered, device)


def program(graph: Graph, used: tuple[int, ...], order: tuple[int, ...] | None) -> Any:
    """The function that jax traces: the used arguments in, the outputs in ``order``."""
    body = as_function(graph)
    count = len(graph.inputs)

    def function(*arguments: Any) -> Any:
        given = [TOKEN] * count
        for i, argument in zip(used, arguments, strict=True):
            given[i] = argument
        results = body(*given)
        return results if order is None else tuple([results[i] for i in order])

    function.__name__ = function.__qualname__ = graph.name
    return function


def spec(type_: Type, target: Any) -> Any:
    """The description for jax of an argument."""
    assert type(type_) is TensorType
    sharding = None if target is None else SingleDeviceSharding(target)
    return shape_struct(type_.shape, type_.dtype, sharding=sharding)


def check_type(graph: Graph, type_: Type) -> None:
    """Demand a type that XLA has."""
    if type(type_) is BytesType:
        raise BackendError(f"graph {graph.name!r} has a value of type {type_}: xla has no bytes")
    if type(type_) is TensorType and not type_.is_static:
        raise BackendError(
            f"graph {graph.name!r} has a value of type {type_}: xla needs sizes; "
            "specialize the graph first (plait.ir.specialize)"
        )


def compile(
    graph: Graph,
    *,
    plan: ExecutionPlan | None = None,
    donated: Collection[int] = (),
    device: Any = None,
    options: Options | None = None,
) -> XlaExecutable:
    """Lower a graph and compile it with XLA; parameters as of ``lower`` and ``Lowered.compile``."""
    return lower(graph, plan=plan, donated=donated, device=device).compile(options)
