"""Derivative rules of the ops, by family; loaded when a derivative is first asked for."""
