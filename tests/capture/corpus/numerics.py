"""Numeric algorithms as one writes them on arrays."""

from __future__ import annotations

import numpy as np

from tests.capture.entries import args, entry, f32, f64, i32, i64, normal

SPD = normal(4, 4) @ normal(4, 4).T + 4 * np.eye(4)


@entry(normal(3, 4), normal(3, 4, dtype=np.float32), np.eye(3), xla=True)
def gram_schmidt(vectors):
    basis = []
    for vector in vectors:
        for direction in basis:
            vector = vector - (vector @ direction) * direction
        basis.append(vector / np.sqrt(vector @ vector))
    return np.stack(basis)


@entry(SPD, f64([[4.0]]), f64([[4.0, 2.0], [2.0, 3.0]]))
def cholesky(matrix):
    n = matrix.shape[0]
    lower = np.zeros_like(matrix)
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i, j] - lower[i, :j] @ lower[j, :j]
            lower[i, j] = np.sqrt(rest) if i == j else rest / lower[j, j]
    return lower


@entry(args(SPD, f64([1.0, 2.0, 3.0, 4.0])), args(f64([[0.0, 2.0], [3.0, 1.0]]), f64([2.0, 3.0])))
def gauss_with_pivots(matrix, right):
    matrix, right = matrix.copy(), right.copy()
    n = len(right)
    for k in range(n):
        pivot = np.argmax(np.abs(matrix[k:, k])) + k
        if pivot != k:
            matrix[[k, pivot]] = matrix[[pivot, k]]
            right[[k, pivot]] = right[[pivot, k]]
        for i in range(k + 1, n):
            factor = matrix[i, k] / matrix[k, k]
            matrix[i, k:] -= factor * matrix[k, k:]
            right[i] -= factor * right[k]
    for k in range(n - 1, -1, -1):
        right[k] = (right[k] - matrix[k, k + 1 :] @ right[k + 1 :]) / matrix[k, k]
    return right


@entry(args(SPD, f64([1.0, 2.0, 3.0, 4.0])), args(np.eye(2), f64([1.0, 1.0])), xla=True)
def conjugate_gradients(matrix, right):
    x = np.zeros_like(right)
    residual = right - matrix @ x
    direction = residual
    error = residual @ residual
    while error > 1e-12:
        step = error / (direction @ matrix @ direction)
        x = x + step * direction
        residual = residual - step * (matrix @ direction)
        previous, error = error, residual @ residual
        direction = residual + error / previous * direction
    return x


@entry(args(SPD, f64([1.0, 2.0, 3.0, 4.0]), 50), args(np.eye(2), f64([1.0, 1.0]), 3))
def jacobi(matrix, right, sweeps):
    diagonal = np.diagonal(matrix)
    x = right / diagonal
    for _ in range(sweeps):
        following = x + (right - matrix @ x) / diagonal
        if np.max(np.abs(following - x)) < 1e-9:
            break
        x = following
    return x


@entry(args(f64([[1.0, 1.0], [1.0, 0.0]]), 10), args(f64([[1.0, 1.0], [1.0, 0.0]]), 0))
def matrix_power(matrix, n):
    result = None
    while n > 0:
        if n % 2:
            result = matrix if result is None else result @ matrix
        matrix = matrix @ matrix
        n //= 2
    return result


@entry(args(i64([[1, 1], [1, 0]]), i32(10)), args(i64([[1, 1], [1, 0]]), i32(0)))
def matrix_power_by_a_tensor(matrix, n):
    result = np.zeros_like(matrix)
    result[[0, 1], [0, 1]] = 1
    while n > 0:
        if n % 2 == 1:
            result = result @ matrix
        matrix = matrix @ matrix
        n = n // 2
    return result


@entry(args(normal(20, 2), normal(3, 2, seed=1), 5), args(normal(4, 1), normal(2, 1, seed=1), 1))
def k_means(points, centers, rounds):
    for _ in range(rounds):
        distances = ((points[:, None] - centers[None]) ** 2).sum(axis=-1)
        nearest = np.argmin(distances, axis=1)
        moved = []
        for k in range(len(centers)):
            belongs = (nearest == k)[:, None]
            count = belongs.sum()
            if count > 0:
                moved.append((points * belongs).sum(axis=0) / count)
            else:
                moved.append(centers[k])
        centers = np.stack(moved)
    return centers, nearest


@entry(args(f64(0.0), f64(3.0), 10), args(f64(3.0), f64(0.0), 4), args(0.0, 3.0, 10))
def simpson(low, high, n):
    width = (high - low) / n
    total = low**3 - high**3
    for k in range(n):
        x = low + k * width
        total = total + 4 * (x + width / 2) ** 3 + 2 * (x + width) ** 3
    return total * width / 6


@entry(args(f64([1.0, 0.0]), 0.1, 20), args(f64([1.0, 0.0]), 0.5, 0))
def runge_kutta(state, step, n):
    def slope(s):
        return np.stack([s[1], -s[0]])

    for _ in range(n):
        a = slope(state)
        b = slope(state + step / 2 * a)
        c = slope(state + step / 2 * b)
        d = slope(state + step * c)
        state = state + step / 6 * (a + 2 * b + 2 * c + d)
    return state


@entry(args(f64(1.0), f64(1e-6)), args(f64(0.1), f64(1e-2)), args(1.0, 1e-6))
def adaptive_euler(end, tolerance):
    """y' = -5 y, with steps halved and doubled by an estimate of the error."""
    time, y, step = end * 0, end * 0 + 1, end / 4
    rejected = 0
    while time < end:
        if time + step > end:
            step = end - time
        whole = y - 5 * step * y
        half = y - 2.5 * step * y
        halves = half - 2.5 * step * half
        if abs(halves - whole) > tolerance * 100 and step > 1e-3:
            step = step / 2
            rejected += 1
            continue
        time, y = time + step, halves
        if abs(halves - whole) < tolerance:
            step = step * 2
    return y, rejected


@entry(f64([4.0, 1.0, 3.0, 2.0]), i32([1, 1, 0, 0]), normal(4, 2))
def sorting_network(values):
    values = [values[k] for k in range(4)]
    for i, j in ((0, 1), (2, 3), (0, 2), (1, 3), (1, 2)):
        low, high = np.minimum(values[i], values[j]), np.maximum(values[i], values[j])
        values[i], values[j] = low, high
    return np.stack(values)


@entry(i64(2), i64(10), i64(0), 10)
def harmonic(n):
    total = 0.0
    k = 1
    while k <= n:
        total += 1 / k
        k += 1
    return total


@entry(f64([0.0, 1.0, 3.0]), normal(8), f32([2.0]))
def discrete_fourier_transform(signal):
    n = len(signal)
    k = np.arange(n)
    real = [np.sum(signal * np.cos(2 * np.pi * f * k / n)) for f in range(n)]
    imaginary = [-np.sum(signal * np.sin(2 * np.pi * f * k / n)) for f in range(n)]
    return np.stack(real), np.stack(imaginary)


@entry(args(f64([[0.0, 0.0, 0.0], [0.0, 9.0, 0.0], [0.0, 0.0, 0.0]]), f64(0.5)))
def heat_until_flat(grid, bound):
    grid = grid.copy()
    turns = 0
    while grid.max() > bound:
        inner = grid[1:-1, 1:-1]
        around = grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:]
        grid[1:-1, 1:-1] = 0.5 * inner + 0.125 * around
        turns += 1
    return grid, turns


@entry(args(i32([[0, 1, 0], [0, 1, 0], [0, 1, 0]]), 3), args(i32([[1, 1], [1, 1]]), 1))
def game_of_life(board, turns):
    for _ in range(turns):
        padded = np.pad(board, 1)
        neighbors = -board
        for row in range(3):
            for column in range(3):
                neighbors = (
                    neighbors + padded[row : row + board.shape[0], column : column + board.shape[1]]
                )
        board = np.where((neighbors == 3) | ((board == 1) & (neighbors == 2)), 1, 0)
    return board


@entry(args(normal(30, 2), f64([0.5, -0.25])), args(normal(5, 1), f64([0.0])))
def logistic_regression(features, weights):
    labels = (features.sum(axis=1) > 0) * 1.0
    loss = weights.sum() * 0
    for _ in range(20):
        chance = 1 / (1 + np.exp(-features @ weights))
        gradient = features.T @ (chance - labels) / len(labels)
        weights = weights - 0.5 * gradient
        loss = -np.mean(labels * np.log(chance) + (1 - labels) * np.log(1 - chance))
        if loss < 0.2:
            break
    return weights, loss


@entry(args(f64(1.0), f64(1.0)), args(f64(24.0), f64(6.0)), args(1.0, 2.0), captures="while")
def geometric_arithmetic_mean(a, b):
    while abs(a - b) > 1e-12:
        a, b = (a + b) / 2, np.sqrt(a * b)
    return a


@entry(f64(0.3), f64(-0.9), f32(0.0), 0.3)
def exponential_series(x):
    term = total = x * 0 + 1
    k = 1
    while abs(term) > 1e-7:
        term = term * x / k
        total = total + term
        k += 1
    return total


@entry(args(f64([[4.0, 1.0], [2.0, 3.0]]), 30), args(np.eye(2), 2))
def qr_iteration(matrix, rounds):
    for _ in range(rounds):
        columns = []
        for column in matrix.T:
            for other in columns:
                column = column - (other @ column) * other
            columns.append(column / np.sqrt(column @ column))
        q = np.stack(columns, axis=1)
        matrix = q.T @ matrix @ q
    return np.sort(np.diagonal(matrix))
