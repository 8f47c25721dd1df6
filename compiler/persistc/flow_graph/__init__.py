"""The graph of a flow: what it may call in which order, how it is drawn, and whether a recorded history fits it."""
