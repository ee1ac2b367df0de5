"""One line per op, a file per family."""
