"""The fields of a class of the project of which each is stored as its type is by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from persistc.checks.type_tables import FIELDS_OF_BASES, FIELDS_OF_DECORATORS, NO_FIELDS
from persistc.flow_tree import Call, Expression, Quoted, Subscript
from persistc.model import Class, ClassAttribute, Module, Scope
from persistc.project import Project


@dataclass(frozen=True, slots=True)
class Field:
    """A field with the class and the module in whose names its type is written."""

    name: str
    annotation: Expression
    owner: Class
    module: Module


def stored_fields(project: Project, cls: Class, home: Module) -> Iterator[Field]:
    """The fields of a class, its own and inherited; none of a class that is of another kind, a pydantic model say."""
    lineage = project.lineage(cls, home)
    bases = {base.origin for owner, _ in lineage for base in owner.bases}
    if not (bases & FIELDS_OF_BASES or any(owner.has_decorator(*FIELDS_OF_DECORATORS) for owner, _ in lineage)):
        return
    known: set[str] = set()
    for owner, module in lineage:
        inside = _without_declarations(owner)
        for attribute in owner.attributes:
            if attribute.annotation is None or attribute.method is not None or attribute.name in known:
                continue
            known.add(attribute.name)
            if _is_stored(project, attribute, attribute.annotation.expression, module):
                yield Field(attribute.name, attribute.annotation.expression, inside, module)


def _without_declarations(cls: Class) -> Class:
    """The class as its own annotations see it: `socket: socket.socket` binds no name."""
    bound = {each.name for each in cls.attributes if each.value is not None or each.method is not None}
    declared = {each.name for each in cls.attributes if each.annotation is not None} - bound
    return replace(cls, scope=Scope(tuple(each for each in cls.scope.bindings if each.name not in declared)))


def _is_stored(project: Project, attribute: ClassAttribute, annotation: Expression, module: Module) -> bool:
    """Whether values of it are stored: neither of the class nor, for all that is written, left out of `__init__`."""
    kind = annotation.inner if isinstance(annotation, Quoted) else annotation
    kind = kind.value if isinstance(kind, Subscript) else kind
    made = attribute.value.expression if attribute.value is not None else None
    is_set_later = isinstance(made, Call) and any(each.keyword in {None, "init"} for each in made.arguments)
    return project.origin_of(kind, module) not in NO_FIELDS and not is_set_later
