"""A real daemon under hostile clients: what it holds in memory, and how long honest ones wait meanwhile."""
