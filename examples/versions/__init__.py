"""A flow in two versions: what started on the old one ends on it, what is new starts on the new one."""
