"""What each page shows, gathered from the store. Loaded when somebody looks: a sidecar whose page nobody opens does
without."""
