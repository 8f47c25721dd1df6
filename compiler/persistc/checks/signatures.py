"""The signatures of flows, steps and signals: every value declared, as one type that can be stored."""

from collections.abc import Iterator

from persistc.checks.flow_class import FlowClass, described
from persistc.checks.refusals import Refusal
from persistc.checks.storable import TypeReader
from persistc.diagnostics import Code, Diagnostic, Note
from persistc.flow_tree import Attribute, Name, Subscript, walk
from persistc.model import Kind, Method, Parameter, ParameterKind, Text

GENERIC = frozenset({"typing.Generic", "typing_extensions.Generic", "typing.Protocol", "typing_extensions.Protocol"})


def check_signatures(flow_class: FlowClass) -> Iterator[Diagnostic]:
    """PST027 for type variables, PST040 for missing annotations, PST041 for types that cannot be stored."""
    yield from _generic_class(flow_class)
    reader = TypeReader(flow_class.project)
    for method in flow_class.own_marked:
        if method.type_parameters:
            yield _generic(flow_class, method, None, f"has the type parameter `{method.type_parameters[0]}`")
            continue
        for parameter in method.values:
            yield from _parameter(flow_class, method, parameter, reader)
        yield from _result(flow_class, method, reader)


def _generic_class(flow_class: FlowClass) -> Iterator[Diagnostic]:
    cls = flow_class.cls
    if flow_class.project.is_abstract(cls, flow_class.module):
        return
    place = cls.span if cls.type_parameters else None
    for base in cls.bases:
        expression = base.text.expression
        if isinstance(expression, Subscript) and base.origin in GENERIC:
            place = base.text.span
    if place is not None:
        yield Diagnostic(
            code=Code.GENERIC,
            message=f"flow class `{cls.name}` is generic: what its proxy stores would have no type",
            file=flow_class.module.file,
            span=place,
            label="has type parameters",
            help="remove them, or make it abstract and derive a class for each type: `class UserImport(Import[User])`",
        )


def _parameter(flow_class: FlowClass, method: Method, parameter: Parameter, reader: TypeReader) -> Iterator[Diagnostic]:
    stars = {ParameterKind.VARIADIC: "*", ParameterKind.VARIADIC_KEYWORD: "**"}.get(parameter.kind, "")
    if parameter.annotation is None:
        yield Diagnostic(
            code=Code.MISSING_ANNOTATION,
            message=f"parameter `{stars}{parameter.name}` of {described(method)} has no annotation",
            file=flow_class.module.file,
            span=parameter.span,
            label="stored in the log, and read back as what?",
            help=f"write its type: `{stars}{parameter.name}: {_likely(parameter)}`",
        )
        return
    yield from _type(
        flow_class, method, f"parameter `{stars}{parameter.name}` of {described(method)}", parameter.annotation, reader
    )


def _likely(parameter: Parameter) -> str:
    """A type for the help line: that of the default where it shows one."""
    text = parameter.default.text if parameter.default is not None else ""
    if text in {"True", "False"}:
        return "bool"
    if text[:1] in {'"', "'"}:
        return "str"
    if text.lstrip("-").isdigit():
        return "int"
    return "str | None" if text == "None" else "str"


def _result(flow_class: FlowClass, method: Method, reader: TypeReader) -> Iterator[Diagnostic]:
    if method.returns is None:
        yield Diagnostic(
            code=Code.MISSING_ANNOTATION,
            message=f"the result of {described(method)} has no annotation",
            file=flow_class.module.file,
            span=method.span,
            label="its result is stored in the log, and read back as what?",
            help=f"write `def {method.name}(...) -> None:`, or the type it returns",
        )
    elif not method.is_generator:
        yield from _type(flow_class, method, f"the result of {described(method)}", method.returns, reader)


def _type(
    flow_class: FlowClass, method: Method, what: str, annotation: Text, reader: TypeReader
) -> Iterator[Diagnostic]:
    refusals = tuple(reader.refusals(annotation.expression, flow_class.module, flow_class.cls))
    variables = () if method.is_abstract else walk(annotation.expression)  # the override says what it stands for
    for node in variables:
        if isinstance(node, Name | Attribute) and (
            (isinstance(node, Name) and node.name in flow_class.cls.type_parameters)
            or reader.is_type_variable(node, flow_class.module, flow_class.cls)
        ):
            shown = node.name
            yield _generic(flow_class, method, Text(shown, node.span, node), f"takes or returns `{shown}`")
            return
    for refusal in refusals:
        yield _refused(flow_class, method, what, refusal)


def _generic(flow_class: FlowClass, method: Method, variable: Text | None, how: str) -> Diagnostic:
    return Diagnostic(
        code=Code.GENERIC,
        message=f"{described(method)} is generic: it {how}, and the log needs to know which type that is",
        file=flow_class.module.file,
        span=method.span if variable is None else variable.span,
        label="another type at every call",
        help="name the type, or the union of the types it can be: `int | str`",
    )


def _refused(flow_class: FlowClass, method: Method, what: str, refusal: Refusal) -> Diagnostic:
    notes = () if refusal.place is None else (Note(refusal.place.file, refusal.place.span, refusal.place.label),)
    remedy = refusal.remedy
    if method.kind is Kind.FLOW and remedy.startswith("hand it to `__init__`"):
        remedy = f"{remedy}; a flow takes only what can be stored"
    return Diagnostic(
        code=Code.NOT_STORABLE,
        message=f"{what} cannot be stored: {refusal.told}",
        file=flow_class.module.file,
        span=refusal.span,
        label=refusal.label,
        help=remedy,
        notes=notes,
    )
