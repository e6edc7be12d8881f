"""`make chaos`: a real daemon under random kill -9 and faults, and what became of every incident."""
