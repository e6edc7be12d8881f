"""What alerting must survive: one scenario after the other, each a test named after it (`test_names.py` lists them)."""
