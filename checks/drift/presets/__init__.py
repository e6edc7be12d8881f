"""Comparisons over rows, number for number those of the libraries that people know."""
