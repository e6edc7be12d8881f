"""Logging client."""
