"""Payments by card."""
