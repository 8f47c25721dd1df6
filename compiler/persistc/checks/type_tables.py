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
SELF_IN_FIELD = Refused(
    "`{shown}` is a name for type checkers only", "read back as which class?", "write the name of the class"
)
_PROTOCOL = Refused(
    "`{shown}` says what a value can do, not what it is",
    "read back as which class?",
    "name the class, or the union of the classes it can be",
)

_TYPING = ("typing", "typing_extensions")
_ABC = (*_TYPING, "collections.abc")

ANNOTATED = frozenset(f"{module}.Annotated" for module in _TYPING)
LITERAL = frozenset(f"{module}.Literal" for module in _TYPING)
UNION = frozenset(f"{module}.Union" for module in _TYPING)
OPTIONAL = frozenset(f"{module}.Optional" for module in _TYPING)
SELF = frozenset(f"{module}.Self" for module in _TYPING)
NEW_TYPE = frozenset(f"{module}.NewType" for module in _TYPING)
PROTOCOL = frozenset(f"{module}.Protocol" for module in _TYPING)
VARIABLES = frozenset(f"{module}.{name}" for module in _TYPING for name in ("TypeVar", "ParamSpec", "TypeVarTuple"))


def _instead(what: str, remedy: str) -> Refused:
    return Refused(f"`{{shown}}` {what}", "cannot be written as JSON", remedy)


def _like(container: str) -> Refused:
    return _instead(f"would come back as a plain {container.partition('[')[0]}", f"write `{container}`")


def _by_text(name: str) -> Refused:
    return _instead("has no form in the log", f"say how it is stored: `Annotated[{name}, stored_as(str, {name})]`")


_MATCHER = _instead("has no form in the log", "store its text, `str`, and compile it where it is used")
_VIEW = _instead("looks at a dict, and is no value of its own", "write `list[...]`")
_OFFSET = _instead("has no form in the log", "store its offset, `timedelta`, or its name, `str`")
_NO_NUMBER = _instead("says what a value can do, not what it is", "write `int`, `float` or `Decimal`")
_SHAPELESS = _instead("does not declare its fields", "write a dataclass")

_ADDRESSES = tuple(f"IPv{version}{kind}" for version in (4, 6) for kind in ("Address", "Interface", "Network"))
_URLS = ("ParseResult", "ParseResultBytes", "SplitResult", "SplitResultBytes")

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
    "collections.Counter": _like("dict[str, int]"),
    "collections.OrderedDict": _like("dict[...]"),
    "collections.defaultdict": _like("dict[...]"),
    "collections.ChainMap": _like("dict[...]"),
    "collections.UserDict": _like("dict[...]"),
    "collections.UserList": _like("list[...]"),
    "collections.UserString": _instead("would come back as plain text", "write `str`"),
    "collections.deque": _like("list[...]"),
    "array.array": _like("list[...]"),
    "re.Pattern": _MATCHER,
    "re.Match": _MATCHER,
    "fractions.Fraction": _by_text("Fraction"),
    "zoneinfo.ZoneInfo": _by_text("ZoneInfo"),
    **{f"ipaddress.{name}": _by_text(name) for name in _ADDRESSES},
    "datetime.timezone": _OFFSET,
    "datetime.tzinfo": _OFFSET,
    "random.Random": _instead("has no form in the log", "store its seed"),
    **{
        f"pydantic.{name}": Refused(
            "`{shown}` masks itself where it is written",
            "only the mask would be stored",
            "store where the secret is kept",
        )
        for name in ("SecretBytes", "SecretStr")
    },
    "string.Template": _instead("has no form in the log", "store its text, `str`"),
    "time.struct_time": _instead("has no form in the log", "write `datetime`"),
    "argparse.Namespace": _SHAPELESS,
    "types.SimpleNamespace": _SHAPELESS,
    "types.MappingProxyType": _like("dict[...]"),
    **{f"urllib.parse.{name}": _instead("does not say what is in it", "store the address, `str`") for name in _URLS},
    **{f"numbers.{name}": _NO_NUMBER for name in ("Number", "Complex", "Real", "Rational", "Integral")},
    **{f"{module}.{name}": _VIEW for module in _ABC for name in ("KeysView", "ValuesView", "ItemsView", "MappingView")},
    **{f"{module}.ByteString": _instead("could be several types", "write `bytes`") for module in _ABC},
    **{f"{module}.LiteralString": _instead("is known to type checkers only", "write `str`") for module in _TYPING},
    **{f"{module}.Counter": _like("dict[str, int]") for module in _TYPING},
    **{
        f"{module}.{name}": _like("dict[...]")
        for module in _TYPING
        for name in ("OrderedDict", "DefaultDict", "ChainMap")
    },
    **{f"{module}.Deque": _like("list[...]") for module in _TYPING},
    **{f"{module}.{name}": _MATCHER for module in _TYPING for name in ("Pattern", "Match")},
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

TEXTS = frozenset(
    {
        "builtins.bytearray",
        "builtins.bytes",
        "builtins.str",
        "datetime.date",
        "datetime.datetime",
        "datetime.time",
        "datetime.timedelta",
        "decimal.Decimal",
        "uuid.UUID",
    }
)
"""Types that are written as text."""

LISTS = frozenset(
    {
        *(f"builtins.{name}" for name in ("frozenset", "list", "set", "tuple")),
        *(f"typing.{name}" for name in ("FrozenSet", "List", "Tuple")),
        *(f"{module}.{name}" for module in _ABC for name in _OF_ONE),
    }
)
"""Containers that are written as a list."""

TUPLES = frozenset({"builtins.tuple", "typing.Tuple"})

OBJECTS = frozenset({"builtins.dict", "typing.Dict", *(f"{module}.{name}" for module in _ABC for name in _OF_TWO)})
"""Containers that are written as a JSON object: those that have keys."""

CONVERTED = frozenset(
    f"pathlib.{name}" for name in ("Path", "PurePath", "PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath")
)
"""Types of the standard library that are stored through a conversion."""

PYDANTIC_MODELS = frozenset({"pydantic.BaseModel", "pydantic.RootModel"})

DATACLASS_DECORATORS = (
    "dataclasses.dataclass",
    "pydantic.dataclasses.dataclass",
    *(f"attrs.{name}" for name in ("define", "frozen", "mutable")),
    *(f"attr.{name}" for name in ("attrs", "dataclass", "define", "frozen", "mutable", "s")),
)

FIELDS_OF_DECORATORS = tuple(each for each in DATACLASS_DECORATORS if not each.startswith("pydantic."))
FIELDS_OF_BASES = frozenset(
    {"msgspec.Struct", *(f"{module}.{name}" for module in _TYPING for name in ("NamedTuple", "TypedDict"))}
)
"""What makes the annotated names of a class its fields, each stored as its type is by itself."""

NO_FIELDS = frozenset({"dataclasses.InitVar", *(f"{module}.ClassVar" for module in _TYPING)})
"""Annotations of names that are no fields."""

NO_KEYS = frozenset({"builtins.bool"})
"""What else cannot be the key of a dict."""
