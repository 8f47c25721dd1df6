"""What was kept, as text."""

from __future__ import annotations

from collections.abc import Iterator

from persistc.keeping.plan import Change, Plan


def told(plan: Plan, change: Change) -> str:
    """What was written into the file, and what may need a hand."""
    return "".join(f"{line}\n" for line in _lines(plan, change))


def _lines(plan: Plan, change: Change) -> Iterator[str]:
    flow, file = f"{change.new.cls.name}.{plan.flow}", change.new.module.file
    yield f"{file}: kept version {plan.number} of {flow}, from {change.ref}, as {plan.kept_as}"
    yield f"  {plan.flow} is version {plan.newest}"
    for name, kept_as in plan.renamed.items():
        yield f"  {kept_as} is what {name} was"
    for name in plan.put_back:
        yield f"  {name} is back: version {plan.number} calls it"
    if plan.imports:
        yield f"  imported again: {', '.join(imported.bound for imported in plan.imports)}"
    if plan.remarks:
        yield "look at this:"
        yield from (f"  {remark}" for remark in plan.remarks)
