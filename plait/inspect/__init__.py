"""Pictures, tables and explanations of graphs."""
