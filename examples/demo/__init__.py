"""`make demo`: compile flows, run one, kill it, start it again, and look at what was recorded."""
