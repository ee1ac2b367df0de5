"""Random programs with control flow, mutation and views, and what they mean run in several ways.

A program is source text, drawn from a seed. It runs as plain Python on NumPy and on tensors, and
compiled; results, dtypes, what it leaves in its arguments and globals, prints and exceptions are
compared. All its numbers are small multiples of a quarter, so every sum and product is exact and
no comparison of floats depends on rounding.
"""
