"""Changes of what a function reads from outside: each kind in a table, and random sequences."""
