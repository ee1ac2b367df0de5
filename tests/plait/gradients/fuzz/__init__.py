"""Random smooth programs with control flow and writes, and their gradients in several ways."""
