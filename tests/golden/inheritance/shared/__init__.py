"""What several flow classes share; they take it from here."""

from .notifying import NotifyingFlow

__all__ = ["NotifyingFlow"]
