"""Rewrite rules, a file per algebra."""
