"""Names by which functions of other modules are known here."""

from .chain import *  # noqa: F403
from .chain import outlined as stamped
from .chain_late import *  # noqa: F403

__all__ = ["at_last", "stamped"]  # noqa: F405
