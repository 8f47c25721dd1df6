"""A new colleague: two branches at once, and a crash wherever you want it."""
