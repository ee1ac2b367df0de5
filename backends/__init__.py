"""Plan to executable."""
