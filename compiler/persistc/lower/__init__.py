"""From a tree and its import table to the model: the last stage that knows libcst."""

from persistc.lower.modules import lower

__all__ = ["lower"]
