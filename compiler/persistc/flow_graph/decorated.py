"""What a call of a function comes to by its decorators: its body, once, at most once or in pieces, or nobody knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from persistc.flow_graph.regions import Arm, Branch, Called, Dynamic, Region, Sequence, Started, Task, calls
from persistc.flow_graph.wording import cut

CONTEXT_MANAGERS = frozenset({"contextlib.asynccontextmanager", "contextlib.contextmanager"})
PROPERTIES = ("builtins.property", "functools.cached_property")
_CACHES = frozenset({"functools.cache", "functools.cached_property", "functools.lru_cache"})
_KNOWN = frozenset(
    {
        *CONTEXT_MANAGERS,
        *PROPERTIES,
        *_CACHES,
        "abc.abstractmethod",
        "builtins.classmethod",
        "builtins.staticmethod",
        *(f"{module}.{name}" for module in ("typing", "typing_extensions") for name in ("final", "override")),
    }
)


def decorated(called: Called, decorators: Mapping[str, str | None], is_generator: bool) -> Iterator[Region]:
    """What is left in the log by a call of a function whose decorators have these names, with their origins."""
    if not calls((called,)):
        return
    unknown = next((name for name, origin in decorators.items() if origin not in _KNOWN), None)
    origins = frozenset(decorators.values())
    if unknown is not None:
        why = f"`@{cut(unknown)}` may call `{called.name}` any number of times"
        yield Dynamic(called.place, why, told=Sequence((called,)))
    elif origins & _CACHES:
        yield Branch(called.place, "", (Arm(called.place, "", Sequence(), Sequence((called,))),), False)
    elif is_generator or origins & CONTEXT_MANAGERS:
        yield Task(called.place, Started.UNAWAITED, Sequence((called,)))  # its parts run as it is gone over
    else:
        yield called
