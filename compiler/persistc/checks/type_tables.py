"""What is known of the types of the language and its standard library, by origin."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a type is refused; `{shown}` in `reason` is the name as the user wrote it."""

    reason: str
    label: str
    remedy: str = ""
    """What to write; left out for things that belong into `__init__`."""


_TOO_LITTLE = Refused(
    "`{shown}` could be anything",
    "read back as what?",
    "name the type, or use `persistasaurus.Json` for free-form data",
)
_FUNCTION = Refused("`{shown}` is a function, which lives in one process only", "cannot be written down")
_STREAM = Refused(
    "`{shown}` hands out values while it runs, and has no one value",
    "cannot be written down",
    "take or return a list",
)
_COROUTINE = Refused(
    "`{shown}` is work still to be done, not a value",
    "cannot be written down",
    "write `async def`, and the type that awaiting it gives",
)
_NO_VALUE = Refused("`{shown}` has no values", "nothing to write down", "write `-> None`")
_CLASS = Refused(
    "`{shown}` is a class, not a value",
    "cannot be written down",
    "store a name for it: a `str`, an `Enum` or a `Literal`",
)
_FILE = Refused(
    "`{shown}` is an open file, which lives in one process only",
    "closed when the process ends",
    "store its path, `Path`, and open it in the step",
)
_SELF = Refused("`{shown}` is the flow class itself", "not a value", "return what the step found out")
_PROTOCOL = Refused(
    "`{shown}` says what a value can do, not what it is",
    "read back as which class?",
    "name the class, or the union of the classes it can be",
)

_TYPING = ("typing", "typing_extensions")
_ABC = (*_TYPING, "collections.abc")

REFUSED: dict[str, Refused] = {
    "builtins.object": _TOO_LITTLE,
    "builtins.type": _CLASS,
    "builtins.memoryview": Refused("`{shown}` does not own its bytes", "gone with what it looks at", "use `bytes`"),
    "builtins.complex": Refused("`{shown}` has no form in the log", "cannot be written as JSON", "use two `float`s"),
    "functools.partial": _FUNCTION,
    "types.FunctionType": _FUNCTION,
    "types.LambdaType": _FUNCTION,
    "types.MethodType": _FUNCTION,
    "types.BuiltinFunctionType": _FUNCTION,
    "types.GeneratorType": _STREAM,
    "types.AsyncGeneratorType": _STREAM,
    "types.CoroutineType": _COROUTINE,
    "abc.ABC": _PROTOCOL,
    "os.PathLike": Refused(
        "`{shown}` says what a value can do, not what it is", "read back as which class?", "use `Path`"
    ),
    **{f"{module}.Any": _TOO_LITTLE for module in _TYPING},
    **{f"{module}.Type": _CLASS for module in _TYPING},
    **{f"{module}.Self": _SELF for module in _TYPING},
    **{f"{module}.{name}": _NO_VALUE for module in _TYPING for name in ("NoReturn", "Never")},
    **{f"{module}.Callable": _FUNCTION for module in _ABC},
    **{
        f"{module}.{name}": _STREAM
        for module in _ABC
        for name in ("AsyncGenerator", "AsyncIterable", "AsyncIterator", "Generator", "Iterable", "Iterator")
    },
    **{f"{module}.{name}": _COROUTINE for module in _ABC for name in ("Awaitable", "Coroutine")},
    **{f"{module}.{name}": _FILE for module in _TYPING for name in ("IO", "BinaryIO", "TextIO")},
    **{
        f"{module}.{name}": _PROTOCOL
        for module in _ABC
        for name in ("Hashable", "Sized", "Container", "Reversible", "Buffer")
    },
    **{
        f"{module}.Supports{name}": _PROTOCOL
        for module in _TYPING
        for name in ("Abs", "Bytes", "Complex", "Float", "Index", "Int", "Round")
    },
    **{
        f"io.{name}": _FILE
        for name in (
            "BufferedIOBase",
            "BufferedReader",
            "BufferedWriter",
            "BytesIO",
            "FileIO",
            "IOBase",
            "RawIOBase",
            "StringIO",
            "TextIOBase",
            "TextIOWrapper",
        )
    },
}
"""Types no value of which can be stored, whatever their parameters."""

IN_THIS_PROCESS = frozenset(
    {
        "_thread",
        "asyncio",
        "concurrent.futures",
        "contextlib",
        "contextvars",
        "http.client",
        "http.server",
        "logging",
        "mmap",
        "multiprocessing",
        "queue",
        "select",
        "selectors",
        "smtplib",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "types",
        "weakref",
    }
)
"""Modules whose types are tied to the process: sockets, locks, tasks, connections, loggers."""

STORED_BUILTINS = frozenset(
    {"bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"}
)

_OF_ONE = ("Sequence", "MutableSequence", "Collection", "Set", "AbstractSet", "MutableSet")
_OF_TWO = ("Mapping", "MutableMapping")

BARE: dict[str, str] = {
    "builtins.list": "int",
    "builtins.set": "int",
    "builtins.frozenset": "int",
    "builtins.tuple": "int, str",
    "builtins.dict": "str, int",
    **{f"typing.{name}": "int" for name in ("List", "FrozenSet")},
    "typing.Tuple": "int, str",
    "typing.Dict": "str, int",
    **{f"{module}.{name}": "int" for module in _ABC for name in _OF_ONE},
    **{f"{module}.{name}": "str, int" for module in _ABC for name in _OF_TWO},
}
"""Containers, with an example of what to write in their brackets: without brackets they hold anything."""
