"""What a call of a function comes to by its decorators: its body, once, at most once or in pieces, or nobody knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from persistc.flow_graph.regions import Arm, Branch, Called, Dynamic, Place, Region, Sequence, Started, Task, calls
from persistc.flow_graph.wording import cut, short
from persistc.model import Method

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


def decorators_of(method: Method) -> Mapping[str, str | None]:
    """The decorators of a method by their names, with their origins; its mark is none of them."""
    return {each.name or short(each.expression): each.origin for each in method.decorators if each.mark is None}


def unknown_decorator(decorators: Mapping[str, str | None]) -> str | None:
    """One of which nobody can tell what it makes of a call."""
    return next((name for name, origin in decorators.items() if origin not in _KNOWN), None)


def wrapped(place: Place, name: str, decorator: str, body: Region) -> Dynamic:
    """What a function calls that stands below such a decorator."""
    return Dynamic(place, f"`@{cut(decorator)}` may call `{name}` any number of times", told=Sequence((body,)))


def decorated(called: Called, decorators: Mapping[str, str | None], is_generator: bool) -> Iterator[Region]:
    """What is left in the log by a call of a function that has these decorators."""
    if not calls((called,)):
        return
    unknown = unknown_decorator(decorators)
    origins = frozenset(decorators.values())
    if unknown is not None:
        yield wrapped(called.place, called.name, unknown, called)
    elif origins & _CACHES:
        yield Branch(called.place, "", (Arm(called.place, "", Sequence(), Sequence((called,))),), False)
    elif is_generator or origins & CONTEXT_MANAGERS:
        yield Task(called.place, Started.UNAWAITED, Sequence((called,)))  # its parts run as it is gone over
    else:
        yield called
