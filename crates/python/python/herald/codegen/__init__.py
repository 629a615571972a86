"""Generators of code that need no contract file."""
