"""Plait: eager tensors, and compiled graphs wherever you ask for them."""
