"""An LSTM over real handwritten digits: captured, optimized, planned, compiled and timed.

Run it with ``make demo``. Each 8x8 image of scikit-learn's digits is read as 8 steps of 8 numbers.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import plait as pl

STEPS, FEATURES, HIDDEN = 8, 8, 16
CELL_SPECS = "f32[8,16] f32[32,64] f32[8,16] f32[8,16]"


@pl.graph_function(signature=CELL_SPECS)
def lstm_cell(x: Any, w: Any, h: Any, c: Any) -> Any:
    """One step of an LSTM."""
    xhw = pl.matmul(pl.concat([x, h], axis=1), w)
    y = pl.split(xhw, 4, axis=1)
    in_value = pl.tanh(y[0])
    in_gate, forget_gate, out_gate = [pl.sigmoid(v) for v in y[1:]]
    c = (forget_gate * c) + (in_gate * in_value)
    h = out_gate * pl.tanh(c)
    return h, c


def lstm(images: Any, w: Any) -> Any:
    """Run the cell over the rows of each image; returns the last hidden state."""
    h = pl.zeros((images.shape[0], HIDDEN))
    c = pl.zeros((images.shape[0], HIDDEN))
    for step in range(STEPS):
        h, c = lstm_cell(images[:, step, :], w, h, c)
    return h


def plain_numpy(images: Any, w: Any) -> Any:
    """The same in NumPy."""

    def sigmoid(v: Any) -> Any:
        return 1 / (1 + np.exp(-v))

    h = np.zeros((images.shape[0], HIDDEN), np.float32)
    c = np.zeros((images.shape[0], HIDDEN), np.float32)
    for step in range(STEPS):
        y = np.split(np.concatenate([images[:, step], h], axis=1) @ w, 4, axis=1)
        in_gate, forget_gate, out_gate = (sigmoid(v) for v in y[1:])
        c = forget_gate * c + in_gate * np.tanh(y[0])
        h = out_gate * np.tanh(c)
    return h


def plain_jax() -> Callable[..., Any]:
    """The same in jax.numpy under jax.jit."""
    import jax
    import jax.numpy as jnp

    def run(images: Any, w: Any) -> Any:
        h = jnp.zeros((images.shape[0], HIDDEN))
        c = jnp.zeros((images.shape[0], HIDDEN))
        for step in range(STEPS):
            y = jnp.split(jnp.concatenate([images[:, step], h], axis=1) @ w, 4, axis=1)
            in_gate, forget_gate, out_gate = (jax.nn.sigmoid(v) for v in y[1:])
            c = forget_gate * c + in_gate * jnp.tanh(y[0])
            h = out_gate * jnp.tanh(c)
        return h

    compiled: Callable[..., Any] = jax.jit(run)
    return compiled


def load_digits() -> Any:
    """The 1,797 images as float32[1797, 8, 8] in [0, 1]."""
    from sklearn.datasets import load_digits as load

    return np.asarray(load().images / 16, np.float32)


def median_ms(functions: dict[str, Callable[[], Any]], rounds: int = 15) -> dict[str, float]:
    """Median time of each function, in alternating rounds, each after a call that is not timed."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            function()
            start = time.perf_counter()
            function()
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def show_cell() -> None:
    """Print the cell's graph before and after the passes, and its plan."""
    print("== lstm_cell as traced\n")
    print(lstm_cell.graph(stage="traced"))
    print("\n== lstm_cell optimized\n")
    print(lstm_cell.graph())
    plan = lstm_cell.graph(stage="plan")
    print("\n== its plan\n")
    print(plan)
    saved = plan.unplanned_bytes - plan.arena_bytes
    in_place = [s.node.op.name for s in plan.steps if s.in_place_of is not None]
    print(f"\nin place: {', '.join(in_place)}")
    print(f"{plan.unplanned_bytes} bytes of results fit in {plan.arena_bytes}: {saved} saved")
    show_memory()


def show_memory() -> None:
    """Print the bytes of the cell's plan beside those that XLA names for its program."""
    memories: dict[str, Any] = {**lstm_cell.trace().optimize().compare_memory()}
    columns = ("arguments", "outputs", "temporaries", "aliases", "total")
    print(f"\n{'bytes':>10}" + "".join(f"{column:>13}" for column in columns))
    for name, memory in memories.items():
        print(f"{name:>10}" + "".join(f"{memory[column]:>13}" for column in columns))


def show_whole(images: Any, w: Any) -> None:
    """Print what the passes did to the whole LSTM."""
    stages = pl.graph_function(lstm).trace(images, w)
    optimized = stages.optimize()
    before, inlined, after = stages.graph, stages.optimize("inline").graph, optimized.graph
    print("\n== the whole LSTM\n")
    print(f"traced: {len(before.nodes)} nodes, of them {STEPS} calls of lstm_cell")
    print(f"inlined: {len(inlined.nodes)} nodes")
    print(f"optimized: {len(after.nodes)} nodes")
    print(f"cost: {after.cost().flops:,} FLOPs")


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu:0", help="where to run, such as gpu:0")
    device = parser.parse_args().device
    show_cell()

    images = load_digits()
    w = pl.asarray(
        np.random.default_rng(0).normal(0, 0.3, (FEATURES + HIDDEN, 4 * HIDDEN)).astype(np.float32)
    )
    x = pl.asarray(images)
    show_whole(x, w)
    with pl.device(device):
        compiled = pl.graph_function(lstm)
        planned = pl.graph_function(lstm, backend="planned")
        outputs = {
            "eager": lstm_eagerly(x, w),
            "planned": planned(x, w),
            "xla": compiled(x, w),
        }
        expected = plain_numpy(images, w.numpy())
        print(f"\n== {len(images)} digits, {STEPS} steps of {FEATURES} features, on {device}\n")
        for name, h in outputs.items():
            difference = float(np.max(np.abs(h.numpy() - expected)))
            print(f"{name:>8}: largest difference from plain NumPy {difference:.1e}")
            assert difference < 1e-5, f"{name} disagrees with NumPy"
        print_times(x, w, compiled, planned)


def lstm_eagerly(x: Any, w: Any) -> Any:
    """The undecorated LSTM: the same code, run op by op."""
    h, c = pl.zeros((x.shape[0], HIDDEN)), pl.zeros((x.shape[0], HIDDEN))
    for step in range(STEPS):
        h, c = lstm_cell.__wrapped__(x[:, step, :], w, h, c)
    return h


def print_times(x: Any, w: Any, compiled: Any, planned: Any) -> None:
    """Print times for each way to run the LSTM."""
    import jax

    jitted, images, weights = plain_jax(), x.numpy(), w.numpy()
    on_device = jax.device_put(images), jax.device_put(weights)
    times = median_ms(
        {
            "plain NumPy": lambda: plain_numpy(images, weights),
            "Plait, eager": lambda: lstm_eagerly(x, w).numpy(),
            "Plait, planned": lambda: planned(x, w).numpy(),
            "plain jax.jit": lambda: np.asarray(jitted(*on_device)),
            "Plait, XLA": lambda: compiled(x, w).numpy(),
        }
    )
    print()
    for name, ms in times.items():
        print(f"{name:>15}: {ms:7.3f} ms")


if __name__ == "__main__":
    main()
