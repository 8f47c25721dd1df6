"""The tree drawn at the top of `errors.py` is the tree of the classes."""

from __future__ import annotations

import inspect
import re

import persistasaurus
from persistasaurus import errors
from persistasaurus.errors import Evicted, PersistasaurusError

ENTRY = re.compile(r"(?P<branch>[ │├└─]*)(?P<name>[A-Z]\w+)(?: \((?P<outside>\w+)\)| +\(also an? (?P<also>\w+)\))?")
Tree = dict[str, set[str]]
"""The classes from which each error derives directly; those of this package and builtin ones."""


def drawn() -> Tree:
    assert errors.__doc__ is not None
    tree: Tree = {}
    above: list[tuple[int, str]] = []
    for line in errors.__doc__.splitlines()[1:]:
        entry = ENTRY.match(line)
        if entry is None:
            continue
        depth = len(entry["branch"])
        above = [(indent, name) for indent, name in above if indent < depth]
        tree[entry["name"]] = {
            name for name in (above[-1][1] if above else None, entry["also"], entry["outside"]) if name
        }
        above.append((depth, entry["name"]))
    return tree


def classes() -> Tree:
    own = [each for each in vars(errors).values() if inspect.isclass(each) and each.__module__ == errors.__name__]
    return {each.__name__: {base.__name__ for base in each.__bases__} - {"Exception"} for each in own}


def test_the_drawing_shows_every_error_below_its_parents() -> None:
    assert drawn() == classes()


def test_every_error_is_public() -> None:
    assert classes().keys() <= set(persistasaurus.__all__)


def test_only_what_steers_control_flow_passes_by_an_except_exception() -> None:
    assert not issubclass(Evicted, Exception)
    assert [name for name in classes() if not issubclass(getattr(errors, name), PersistasaurusError)] == ["Evicted"]
