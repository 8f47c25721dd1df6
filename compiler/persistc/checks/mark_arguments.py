"""The options of a mark: written out where the compiler can read them, and not at odds with each other."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TypeGuard

from persistc.checks.flow_class import FlowClass, described
from persistc.diagnostics import Code, Diagnostic, Note
from persistc.flow_tree import Attribute, Call, Constant, Display, Expression, Name, Starred
from persistc.model import Decorator, Kind, Method, Text
from persistc.spans import Span
from persistc.versions import FIRST, has_readable_version

OPTIONS = {
    Kind.FLOW: ("name", "version", "of"),
    Kind.STEP: ("delay", "retry", "at_most_once", "raises"),
    Kind.SIGNAL: (),
}


def check_mark_arguments(flow_class: FlowClass) -> Iterator[Diagnostic]:
    """PST014 for options that cannot be read or make no sense, PST015 for `at_most_once` with `retry`."""
    for method in flow_class.own_marked:
        mark = method.mark
        if mark is not None:
            yield from _readable(flow_class, method, mark)
            if method.kind is Kind.FLOW:
                yield from _version(flow_class.module.file, method, mark)
                yield from _kept(flow_class.module.file, method, mark)
            yield from _once_or_again(flow_class.module.file, method, mark)


def _readable(flow_class: FlowClass, method: Method, mark: Decorator) -> Iterator[Diagnostic]:
    file = flow_class.module.file
    options = OPTIONS[method.kind]
    for argument in mark.arguments:
        if argument.star or argument.keyword is None:
            yield Diagnostic(
                code=Code.MARK_ARGUMENTS,
                message=f"`@{mark.name}` takes its options by name, written out",
                file=file,
                span=argument.value.span,
                label="persistc cannot see what this is" if argument.star else "not a named option",
                help=f"write {_listed(options)}" if options else f"write `@{mark.name}` alone",
            )
        elif argument.keyword not in options:
            near = get_close_matches(argument.keyword, options, 1)
            if near:
                remedy = f"did you mean `{near[0]}=`?"
            elif options:
                remedy = f"a {method.kind} takes {_listed(options)}"
            else:
                remedy = f"a {method.kind} takes no options"
            yield Diagnostic(
                code=Code.MARK_ARGUMENTS,
                message=f"`@{mark.name}` has no option `{argument.keyword}`",
                file=file,
                span=_keyword(mark, argument.keyword) or argument.value.span,
                label=f"not an option of a {method.kind}",
                help=remedy,
            )
    raises = mark.argument("raises") if method.kind is Kind.STEP else None
    if raises is not None and not _is_constant(flow_class, raises):
        yield from _written_out(file, method, raises)


def _version(file: str, method: Method, mark: Decorator) -> Iterator[Diagnostic]:
    written = mark.argument("version")
    if written is not None and not has_readable_version(method):
        yield Diagnostic(
            code=Code.MARK_ARGUMENTS,
            message=f"`version=` of {described(method)} is no number that persistc can read",
            file=file,
            span=written.span,
            label="versions are numbered 1, 2, 3, ...",
            help=f"write the number itself: `version={FIRST}`",
        )


def _kept(file: str, method: Method, mark: Decorator) -> Iterator[Diagnostic]:
    """What `of=` says, and what cannot stand beside it."""
    of, name = mark.argument("of"), mark.argument("name")
    if of is None:
        return
    if not isinstance(of.expression, Name | Attribute):  # of an attribute `versions` has the word
        meant = of.expression.value if isinstance(of.expression, Constant) else None
        shown = meant if isinstance(meant, str) and meant.isidentifier() else "place_order"
        yield Diagnostic(
            code=Code.MARK_ARGUMENTS,
            message=f"`of=` of {described(method)} does not name a flow",
            file=file,
            span=of.span,
            label="persistc reads a bare name here",
            help=f"write the name of the flow, defined above in the same class: `of={shown}`",
        )
    if name is not None:
        yield Diagnostic(
            code=Code.MARK_ARGUMENTS,
            message=f"kept body `{method.name}` has a `name=` of its own",
            file=file,
            span=name.span,
            label="it is recorded under the name of its flow",
            help="remove `name=` here, and keep it at the flow itself",
            notes=(Note(file, of.span, "the flow"),),
        )


def _keyword(mark: Decorator, keyword: str) -> Span | None:
    """The place of the name of an option."""
    for argument in mark.expression.arguments if isinstance(mark.expression, Call) else ():
        if argument.keyword == keyword:
            start = argument.span.start
            return Span.within_line(start.line, start.column, start.column + len(keyword))
    return None


def _is_constant(flow_class: FlowClass, raises: Text) -> bool:
    """A name at the top of a module of the project that stands for a tuple written out there."""
    origin = flow_class.module.origin_of(raises.expression, flow_class.cls)
    home, _, name = flow_class.project.canonical(origin or "").rpartition(".")
    module = flow_class.project.modules.get(home)
    found = module.scope.by_name.get(name, ()) if module is not None else ()
    value = found[0].value if len(found) == 1 else None
    return value is not None and _is_tuple(value.expression) and not _starred(value.expression)


def _is_tuple(expression: Expression) -> TypeGuard[Display]:
    return isinstance(expression, Display) and expression.kind == "tuple"


def _starred(expression: Display) -> list[Starred]:
    return [item for item in expression.items if isinstance(item, Starred)]


def _written_out(file: str, method: Method, raises: Text) -> Iterator[Diagnostic]:
    expression = raises.expression
    if not _is_tuple(expression):
        yield Diagnostic(
            code=Code.MARK_ARGUMENTS,
            message=f"`raises=` of {described(method)} does not list its exceptions",
            file=file,
            span=raises.span,
            label="the error table is made from what stands here",
            help=f"write the classes in a tuple: `raises=({raises.text},)`" if _is_name(raises) else _TUPLE,
        )
        return
    for item in _starred(expression):
        yield Diagnostic(
            code=Code.MARK_ARGUMENTS,
            message=f"`raises=` of {described(method)} does not list all its exceptions",
            file=file,
            span=item.span,
            label="persistc cannot see which classes these are",
            help=_TUPLE,
        )


_TUPLE = "write the classes in a tuple: `raises=(PaymentDeclined, CardExpired)`"


def _is_name(raises: Text) -> bool:
    last = raises.text.rpartition(".")[2]
    return last.isidentifier() and last[:1].isupper() and not last.isupper()


def _once_or_again(file: str, method: Method, mark: Decorator) -> Iterator[Diagnostic]:
    once, again = mark.argument("at_most_once"), mark.argument("retry")
    if once is None or again is None or _is(once, False) or _is(again, None):
        return
    yield Diagnostic(
        code=Code.AT_MOST_ONCE_WITH_RETRY,
        message=f"{described(method)} runs at most once and is to be retried: it cannot be both",
        file=file,
        span=again.span,
        label="runs it again",
        help="keep `retry=` for a step that may run twice, `at_most_once=True` for one that must not",
        notes=(Note(file, once.span, "forbids to run it again"),),
    )


def _is(value: Text, constant: bool | None) -> bool:
    return isinstance(value.expression, Constant) and value.expression.value is constant


def _listed(options: tuple[str, ...]) -> str:
    shown = [f"`{option}=`" for option in options]
    return f"{', '.join(shown[:-1])} or {shown[-1]}" if len(shown) > 1 else shown[0]
