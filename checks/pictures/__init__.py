"""Distributions as pictures: SVG for pages, PNG for messages and files. Numerics are loaded where one is drawn."""
