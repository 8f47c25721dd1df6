"""The findings that stages before and after the checks make: about a file as a whole, not about its model."""

from persistc.diagnostics import Code, Diagnostic
from persistc.spans import Span


def syntax_error(file: str, error: SyntaxError) -> Diagnostic:
    """The finding for what `ast.parse` refused: Python counts its lines and columns from 1, and may know neither."""
    line = error.lineno or 1
    column = max((error.offset or 1) - 1, 0)
    end_column = column + 1
    if isinstance(error, IndentationError) and error.text is not None:
        # Python points at the end of such a line; what is wrong is where it begins.
        column, end_column = len(error.text) - len(error.text.lstrip()), len(error.text.rstrip())
    elif error.end_lineno == line and error.end_offset is not None:
        end_column = max(error.end_offset - 1, column + 1)
    return Diagnostic(
        code=Code.SYNTAX_ERROR,
        message=f"Python cannot read this file: {error.msg}",
        file=file,
        span=Span.within_line(line, column, end_column),
        label="here",
        help="persistc reads a file as Python does; make `python -m py_compile` accept it first",
    )


def unreadable_source(file: str, reason: str) -> Diagnostic:
    """The finding for a file that cannot be turned into text; `reason` is what the operating system or codec said."""
    return Diagnostic(
        code=Code.UNREADABLE_SOURCE,
        message=f"this file cannot be read: {reason}",
        file=file,
        help="save it as UTF-8, or name its encoding in its first line: `# -*- coding: latin-1 -*-`",
    )


def source_too_deep(file: str) -> Diagnostic:
    """The finding for a file with an expression of more levels than the stack has room for, on some Python versions."""
    return Diagnostic(
        code=Code.UNREADABLE_SOURCE,
        message="this file cannot be read: an expression in it is nested too deeply",
        file=file,
        help="split it into several, or build it in a loop: 600 levels (`a + b + ...`) are always read",
    )


def output_collision(file: str, other_file: str, output: str) -> Diagnostic:
    """The finding for a source whose output `output` is also the output, or the source, `other_file`."""
    if output == other_file:
        message = f"the proxies of this module belong in `{output}`, and a file that persistc did not write is there"
        remedy = "rename that file or this module: one would overwrite the other"
    else:
        message = f"this module and `{other_file}` would both be generated into `{output}`"
        remedy = "rename one of the two modules: their proxies need a file each"
    return Diagnostic(code=Code.OUTPUT_COLLISION, message=message, file=file, help=remedy)
