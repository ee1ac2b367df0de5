"""Graph to graph, and graph to plan."""
