"""The text form of graphs and plans."""
