"""What the change of a source tree means for flows under way: compatible, in need of a kept version, or breaking."""
