"""Tests of saved functions, and the campaign of broken files."""
