"""``while`` loops: trip counts that depend on values."""

from __future__ import annotations

import numpy as np

from tests.capture.entries import args, entry, f32, f64, i32, i64, normal


@entry(i32(6), i32(27), i32(1), i64(97), 6, 27, captures="while, cond", xla=True)
def collatz(a):
    steps = a * 0
    while a != 1:
        if a % 2 == 0:
            a = a // 2
        else:
            a = 3 * a + 1
        steps += 1
    return steps


@entry(args(i32(12), i32(18)), args(i64(17), i64(5)), args(i32(7), i32(0)), args(12, 18))
def gcd(a, b):
    while b:
        a, b = b, a % b
    return a


@entry(
    args(i64(3), i64(13), i64(7)),
    args(i64(2), i64(0), i64(5)),
    args(2, 10, 1000),
    captures="while, cond",
)
def power_modulo(base, exponent, modulus):
    result = modulus * 0 + 1
    while exponent > 0:
        if exponent % 2 == 1:
            result = result * base % modulus
        base = base * base % modulus
        exponent = exponent // 2
    return result


@entry(f64(2.0), f64(1e6), f64(0.25), f32(9.0), 2.0, captures="while", xla=True)
def newton_square_root(x):
    guess = x * 0.5 + 0.5
    while abs(guess * guess - x) > 1e-4 * x:
        guess = 0.5 * (guess + x / guess)
    return guess


@entry(args(f64(0.0), f64(2.0)), args(f64(-4.0), f64(2.0)), args(0.0, 2.0), captures="while")
def bisection(low, high):
    """Where x**3 - x - 1 crosses zero."""
    while high - low > 1e-9:
        middle = (low + high) / 2
        if middle**3 - middle - 1 > 0:
            high = middle
        else:
            low = middle
    return (low + high) / 2


@entry(i32(0), i32(9), i32(12345), i64(987654321), 12345, captures="while")
def sum_of_digits(n):
    total = n * 0
    while n > 0:
        total += n % 10
        n //= 10
    return total


@entry(i32(1234), i32(100), i32(7), 1234)
def reversed_digits(n):
    backwards = 0
    while n > 0:
        backwards = backwards * 10 + n % 10
        n = n // 10
    return backwards


@entry(i32(0b1011), i32(0), i64(2**40 + 1), 0b1011, captures="while")
def count_bits(n):
    count = 0
    while n != 0:
        n = n & (n - 1)
        count += 1
    return count


@entry(f64(1.0), f64(3e-3), f64(0.0), f32(8.0), 1.0)
def halvings(x):
    count = 0
    while x > 1e-3:
        x = x / 2
        count = count + 1
    return count, x


@entry(normal(3, 3), np.eye(2), f64([[2.0, 1.0], [1.0, 3.0]]), captures="while", xla=True)
def power_iteration(matrix):
    symmetric = matrix @ matrix.T
    vector = np.ones_like(symmetric[0])
    change = vector[0]
    while change > 1e-6:
        following = symmetric @ vector
        following = following / np.sqrt(following @ following)
        change = np.max(np.abs(following - vector))
        vector = following
    return vector, vector @ symmetric @ vector


@entry(f64(0.1), f64(2.0), f64(-1.0))
def fixed_point_of_cosine(x):
    previous = x + 1
    while abs(x - previous) > 1e-8:
        previous, x = x, np.cos(x)
    return x


@entry(
    args(i64([1, 3, 5, 7, 9, 11]), i64(7)),
    args(i64([1, 3, 5, 7, 9, 11]), i64(4)),
    args(i64([]), i64(4)),
    args([1, 3, 5], 5),
)
def binary_search(values, wanted):
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@entry(i32(3), i32(0), 3)
def nested_whiles(n):
    total = 0
    row = 0
    while row < n:
        column = 0
        while column <= row:
            total += row * column
            column += 1
        row += 1
    return total


@entry(i32(10), i32(-1), 10, captures="while")
def while_else(n):
    while n > 0:
        n = n - 3
    else:
        n = n + 100
    return n


@entry(args(f64(0.3), f64(0.5)), args(f64(1.0), f64(1.0)), args(f64(0.0), f64(0.0)))
def escape_time(real, imaginary):
    """How long a point of the plane stays near the origin: Mandelbrot's set."""
    x = y = real * 0
    count = 0
    while x * x + y * y <= 4 and count < 30:
        x, y = x * x - y * y + real, 2 * x * y + imaginary
        count += 1
    return count


@entry(f64([5.0, 3.0, 9.0, 1.0]), f64([1.0, 2.0]), f64([7.0]), i32([3, 3, 1]))
def bubble_sort(values):
    values = values.copy()
    swapped = True
    while swapped:
        swapped = False
        for i in range(len(values) - 1):
            if values[i] > values[i + 1]:
                smaller = values[i + 1] + 0
                values[i + 1] = values[i]
                values[i] = smaller
                swapped = True
    return values


@entry(i64(2), i64(91), i64(97), i64(1), 91, 97)
def is_prime(n):
    if n < 2:
        return False
    divisor = 2
    while divisor * divisor <= n:
        if n % divisor == 0:
            return False
        divisor += 1
    return True


@entry(f64(5.0), f64(0.0), 5.0, captures="while", widens=True)
def carry_that_widens(x):
    total = 0
    while x > 0:
        total = total + x
        x = x - 1
    return total


@entry(args(f64([1.0, 2.0]), i32(3)), args(f32([1.0, 2.0]), i32(0)), args(f64([]), i32(2)))
def vector_carry(x, n):
    while n > 0:
        x = x * 2 + 1
        n = n - 1
    return x, n


@entry(args(f64(0.0), 5), args(f64(0.0), 0), args(f64(2.0), 40))
def python_count(x, n):
    """The number of turns is Python's, the carry a tensor."""
    i = 0
    while i < n:
        x = x * 0.5 + i
        i += 1
    return x
