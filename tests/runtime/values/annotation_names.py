"""Names of annotations for test ids: the same in every process, so without the addresses of functions."""

from __future__ import annotations

import re


def named(annotation: object) -> str:
    """An annotation as text."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(annotation))
