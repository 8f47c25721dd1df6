"""Values of the shared steps."""

from dataclasses import dataclass


@dataclass
class Receipt:
    number: int


class NotDelivered(Exception):
    """The mail came back."""
