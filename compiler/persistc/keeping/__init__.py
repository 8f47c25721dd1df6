"""Keeping the old body of a flow beside the new one: from a file and what it was to the file with both.

`snapshots` is what is known of the file at each time, `plan` decides what is kept under which names, `edits` writes it
into the source. The edits are made on the libcst tree, so that all else stays as it was written.
"""
