"""Eager state, compile driver, devices."""
