"""Algorithms over sequences: recurrences, dynamic programs, automata, searches."""

from __future__ import annotations

import numpy as np

from tests.capture.entries import args, entry, f32, f64, i32, i64, normal


@entry(
    args(normal(5, 3), normal(3, 4), normal(4, 4), np.zeros(4)),
    args(normal(1, 3), normal(3, 2), normal(2, 2), np.ones(2)),
    args(normal(0, 3), normal(3, 2), normal(2, 2), np.ones(2)),
    captures="scan",
    xla=True,
)
def recurrent_network(inputs, input_weight, state_weight, state):
    for x in inputs:
        state = np.tanh(x @ input_weight + state @ state_weight)
    return state


@entry(
    args(normal(4, 2), normal(2, 6), normal(2, 6, seed=1)),
    args(normal(1, 2), normal(2, 6), np.zeros((2, 6))),
)
def gated_network(inputs, input_weight, state_weight):
    state = np.zeros_like(inputs[0])
    outputs = []
    for x in inputs:
        gates = x @ input_weight + state @ state_weight
        update, reset, new = (gates[2 * k : 2 * k + 2] for k in range(3))
        update, reset = 1 / (1 + np.exp(-update)), 1 / (1 + np.exp(-reset))
        state = (1 - update) * np.tanh(new + reset * state) + update * state
        outputs.append(state)
    return np.stack(outputs), state


@entry(args(normal(2, 5, 3), i32([5, 2])), args(normal(2, 5, 3), i32([0, 1])))
def sequences_of_different_length(batch, lengths):
    totals = np.zeros_like(batch[:, 0])
    for step in range(batch.shape[1]):
        alive = (lengths > step)[:, None]
        totals = np.where(alive, 0.5 * totals + batch[:, step], totals)
    return totals


@entry(
    args(f64([0.6, 0.4]), f64([[0.7, 0.3], [0.4, 0.6]]), f64([[0.5, 0.4, 0.1], [0.1, 0.3, 0.6]])),
)
def viterbi(start, transition, emission):
    observed = [0, 1, 2, 2]
    best = start * emission[:, observed[0]]
    pointers = []
    for symbol in observed[1:]:
        scores = best[:, None] * transition
        pointers.append(np.argmax(scores, axis=0))
        best = np.max(scores, axis=0) * emission[:, symbol]
    state = np.argmax(best)
    path = [state]
    for pointer in reversed(pointers):
        state = pointer[state]
        path.append(state)
    return path[::-1], np.max(best)


@entry(
    args(f64([0.6, 0.4]), f64([[0.7, 0.3], [0.4, 0.6]]), i32([0, 1, 1])),
    args(f64([0.5, 0.5]), f64([[0.5, 0.5], [0.5, 0.5]]), i32([0])),
)
def forward_algorithm(start, transition, symbols):
    chance = start
    log_likelihood = 0.0
    for symbol in symbols:
        likely = np.where(symbol == 0, chance * 0.8, chance * 0.3)
        total = likely.sum()
        log_likelihood = log_likelihood + np.log(total)
        chance = (likely / total) @ transition
    return chance, log_likelihood


@entry(args(i32([1, 2, 3, 4]), i32([2, 3, 5])), args(i32([1]), i32([1])), args([1, 2], [2, 1]))
def edit_distance(a, b):
    row = [k + a[0] * 0 for k in range(len(b) + 1)]
    for i, x in enumerate(a):
        previous, row = row, [row[0] + 1]
        for j, y in enumerate(b):
            substituted = previous[j] if x == y else previous[j] + 1
            row.append(min(substituted, previous[j + 1] + 1, row[j] + 1))
    return row[-1]


@entry(args(i32([1, 3, 2, 4, 1]), i32([3, 2, 1])), args(i32([5]), i32([6])))
def longest_common_subsequence(a, b):
    table = np.zeros((len(a) + 1, len(b) + 1), np.int32) + 0 * a[0]
    for i in range(len(a)):
        for j in range(len(b)):
            if a[i] == b[j]:
                table[i + 1, j + 1] = table[i, j] + 1
            else:
                table[i + 1, j + 1] = np.maximum(table[i, j + 1], table[i + 1, j])
    return table[-1, -1]


@entry(args([1, 3, 4], i64([10, 40, 50]), 6), args([1], i64([5]), 0), args([9], [1], 3))
def knapsack(weights, values, capacity):
    best = [values[0] * 0] * (capacity + 1)
    for weight, value in zip(weights, values):
        for room in range(capacity, weight - 1, -1):
            best[room] = max(best[room], best[room - weight] + value)
    return best[capacity]


@entry(f64([-2.0, 1.0, -3.0, 4.0, -1.0, 2.0]), f64([-1.0, -2.0]), i32([3]), [1, -2, 3], xla=True)
def maximum_subarray(values):
    best = current = values[0]
    for value in values[1:]:
        current = max(value, current + value)
        best = max(best, current)
    return best


@entry(i32([0, 1, 1, 0, 1]), i32([1]), i32([]), [0, 1, 1])
def automaton(symbols):
    """Accepts an even number of ones, counts its visits to state 1."""
    state, visits = 0, 0
    for symbol in symbols:
        if state == 0:
            if symbol == 1:
                state = 1
        elif symbol == 1:
            state = 0
        if state == 1:
            visits += 1
    return state == 0, visits


@entry(i32([1, 2, -2, -1]), i32([1, -2]), i32([-1]), i32([]), [1, -1])
def balanced_parentheses(symbols):
    depth = 0
    balanced = True
    for symbol in symbols:
        if symbol > 0:
            depth += 1
        else:
            depth -= 1
        if depth < 0:
            balanced = False
    return balanced and depth == 0


@entry(args(np.ones(40, bool), 30), args(np.ones(8, bool), 7))
def sieve(is_prime, largest):
    is_prime[:2] = False
    k = 2
    while k * k <= largest:
        if is_prime[k]:
            is_prime[k * k :: k] = False
        k += 1
    return is_prime.sum()


@entry(args(normal(4, 3), 2), args(normal(4, 3), 1), args(normal(1, 5), 3))
def beam_search(scores, width):
    """The totals of the best sequences, and the tokens that end them."""
    totals, tokens = np.zeros_like(scores[0, :1]), []
    for step in scores:
        candidates = (totals[:, None] + step).reshape(-1)
        order = np.argsort(-candidates)[:width]
        totals = candidates[order]
        tokens.append(order % len(step))
    return totals, tokens


@entry(args(f64([1.0, 3.0, 2.0, 5.0, 4.0])), args(f64([1.0])), args(f64([2.0, 1.0])))
def longest_increasing_run(values):
    best = length = 1
    for left, right in zip(values[:-1], values[1:]):
        if right > left:
            length += 1
        else:
            length = 1
        if length > best:
            best = length
    return best


@entry(
    args(f64([1.0, 2.0, float("nan"), 4.0])), args(f64([float("nan")])), args(f64([])), widens=True
)
def forward_fill(values):
    filled = []
    last = 0.0
    for value in values:
        if not np.isnan(value):
            last = value
        filled.append(last)
    return filled


@entry(args(f64([1.0, 2.0, 3.0, 4.0]), 0.5), args(f32([4.0]), 0.9), args([1.0, 2.0], 0.5))
def exponential_smoothing(values, alpha):
    level = values[0]
    smoothed = [level]
    for value in values[1:]:
        level = alpha * value + (1 - alpha) * level
        smoothed.append(level)
    return smoothed


@entry(
    args(f64([[0.0, 4.0, 1.0], [4.0, 0.0, 2.0], [1.0, 2.0, 0.0]])),
    args(f64([[0.0]])),
)
def floyd_warshall(distances):
    n = len(distances)
    distances = distances.copy()
    for k in range(n):
        for i in range(n):
            for j in range(n):
                detour = distances[i, k] + distances[k, j]
                if detour < distances[i, j]:
                    distances[i, j] = detour
    return distances


@entry(f64([3.0, 5.0, 1.0, 8.0]), f64([2.0, 1.0]), f64([7.0]), [3.0, 5.0])
def best_time_to_sell(prices):
    lowest, profit = prices[0], prices[0] * 0
    for price in prices:
        if price < lowest:
            lowest = price
        elif price - lowest > profit:
            profit = price - lowest
    return profit


@entry(args(normal(3, 4), normal(3, 4, seed=1), normal(3, 2, seed=2)))
def causal_attention(queries, keys, values):
    outputs = []
    for t in range(len(queries)):
        scores = keys[: t + 1] @ queries[t]
        weights = np.exp(scores - scores.max())
        outputs.append(weights / weights.sum() @ values[: t + 1])
    return np.stack(outputs)


@entry(args(f64([0.1, 0.7, 0.2]), f64(0.5)), args(f64([0.1, 0.7, 0.2]), f64(0.99)))
def sample_by_inversion(chances, uniform):
    below = 0.0
    for k, chance in enumerate(chances):
        below = below + chance
        if uniform < below:
            return k
    return len(chances) - 1


@entry(i64([5, 1, 4]), i64([1]), [5, 1, 4])
def digits_of_a_sum(values):
    total = 0
    for value in values:
        total = total * 10 + value
    digits = []
    for _ in range(4):
        digits.append(total % 10)
        total //= 10
    return digits


@entry(args(f64([1.0, 2.0, 3.0]), f64([0.0, 1.0])), args(f64([1.0]), f64([2.0])))
def convolution_by_hand(signal, kernel):
    out = np.zeros(len(signal) + len(kernel) - 1) + 0 * signal[0]
    for i, s in enumerate(signal):
        for j, k in enumerate(kernel):
            out[i + j] += s * k
    return out
