"""Other tools, each run by a script in an environment of its own: `python SCRIPT REFERENCE CURRENT`, both Parquet.

A script loads both files, then measures, and prints one JSON object: `seconds` (without loading), `peak_mb` (the
process's largest RSS) and `columns`, by name `{"method", "value", "drifted"}`. Imports stand inside, before the clock.
"""
