"""Python to graph: tensors, tracing, arguments."""
