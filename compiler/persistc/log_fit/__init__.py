"""Whether the flows in flight of a log fit the code: by their graphs, by their types, by a replay."""
