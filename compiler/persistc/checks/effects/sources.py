"""Where another run of the same code gets another answer, or acts on the world: by origin, with what to write instead.

The longest entry that an origin begins with decides. What stands in no entry is harmless if it belongs to the standard
library; of packages that are installed, `packages` knows some.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto

from persistc.checks.effects.packages import HARMLESS_PARTS, OF_PACKAGES, PURE
from persistc.checks.effects.reasons import (
    BRANCHES,
    HANDED_IN,
    IDENTIFIER,
    IN_A_STEP,
    IN_SIGHT,
    NOW,
    NUMBERS,
    PLAIN_STEP,
    SECRET,
    SLEEP,
    STABLE_KEY,
    TODAY,
    Reason,
    Source,
    words,
)
from persistc.model import PACKAGE


class Standing(Enum):
    """What is known of a thing that is no source."""

    HARMLESS = auto()
    UNKNOWN = auto()
    """It belongs to a package of which nothing is known."""


_CLOCK = Source(Reason.CLOCK, NOW)
_CHANCE = Source(Reason.RANDOM, NUMBERS)
_SECRET = Source(Reason.RANDOM, SECRET)
_AROUND = Source(Reason.ENVIRONMENT, HANDED_IN)
_AROUND_READ = replace(_AROUND, is_read=True)
_WORLD = Source(Reason.OUTSIDE, IN_A_STEP)
_THREADS = Source(Reason.THREADS, BRANCHES)
_UNSEEN = Source(Reason.UNSEEN, IN_SIGHT)


def _of(source: Source, module: str, names: str) -> Iterator[tuple[str, Source]]:
    return ((f"{module}.{name}", source) for name in words(names))


_MODULES_THAT_ACT = words("""
    bz2.BZ2File bz2.open codecs.open dbm fcntl fileinput ftplib getpass glob gzip.GzipFile gzip.open http.client
    http.server imaplib importlib.resources io.FileIO io.open io.open_code linecache lzma.LZMAFile lzma.open mmap poplib
    pty readline select selectors shelve shutil signal smtplib socket socketserver sqlite3 ssl subprocess syslog tarfile
    tempfile termios urllib.request urllib.robotparser webbrowser xmlrpc zipfile
""")

_SOURCES: Mapping[str, Source] = {
    **OF_PACKAGES,
    # clocks
    **dict(_of(_CLOCK, "time", "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns")),
    **dict(_of(_CLOCK, "time", "process_time process_time_ns thread_time thread_time_ns clock_gettime")),
    **dict(_of(replace(_CLOCK, below=1), "time", "localtime gmtime ctime asctime")),
    "time.strftime": replace(_CLOCK, below=2),
    **dict(_of(_CLOCK, "datetime", "datetime.now datetime.utcnow datetime.today")),
    "datetime.date.today": Source(Reason.CLOCK, TODAY),
    # chance
    "random": _CHANCE,
    "random.Random": replace(_CHANCE, below=1),
    **dict(_of(Source(Reason.RANDOM, IDENTIFIER), "uuid", "uuid1 uuid4 uuid6 uuid7")),
    "secrets": _SECRET,
    "ssl.RAND_bytes": _SECRET,
    **dict(_of(_SECRET, "os", "urandom getrandom")),
    # the process and its machine
    **dict(_of(_AROUND_READ, "time", "timezone altzone tzname daylight")),
    **dict(_of(_AROUND_READ, "os", "environ environb")),
    **dict(_of(_AROUND, "os", "getenv getenvb getcwd getcwdb getpid getppid uname getlogin cpu_count getuid geteuid")),
    **dict(_of(_AROUND, "os", "getgid getegid getgroups getpgid getpgrp getloadavg get_terminal_size times umask")),
    **dict(_of(_AROUND, "os", "process_cpu_count sched_getaffinity sysconf confstr ctermid ttyname")),
    **dict(_of(_AROUND, "os.path", "abspath expanduser expandvars realpath relpath")),
    **dict(_of(_AROUND, "pathlib.Path", "cwd home absolute resolve expanduser")),
    **dict(_of(_AROUND_READ, "sys", "argv orig_argv executable flags path prefix modules")),
    **dict(_of(_AROUND, "sys", "getrefcount _getframe _current_frames")),
    **dict(_of(_AROUND, "socket", "gethostname getfqdn")),
    **dict(_of(_AROUND, "threading", "get_ident get_native_id current_thread main_thread active_count enumerate")),
    **dict.fromkeys(words("getpass.getuser locale platform pwd grp resource uuid.getnode"), _AROUND),
    # files, sockets, processes, and all that blocks
    "time.sleep": Source(Reason.OUTSIDE, SLEEP),
    **dict(_of(_WORLD, "builtins", "open input breakpoint")),
    **dict(_of(_WORLD, "typing", "IO TextIO BinaryIO")),
    "sys.stdin": replace(_WORLD, is_read=True),
    "os": _WORLD,
    **dict(_of(_WORLD, "os.path", "exists lexists isfile isdir islink ismount samefile sameopenfile")),
    **dict(_of(_WORLD, "os.path", "getsize getmtime getatime getctime")),
    **dict(_of(_WORLD, "pathlib.Path", "read_text read_bytes write_text write_bytes open exists is_file is_dir")),
    **dict(_of(_WORLD, "pathlib.Path", "is_symlink is_mount is_socket is_fifo is_block_device stat lstat mkdir")),
    **dict(_of(_WORLD, "pathlib.Path", "rmdir unlink touch rename replace iterdir glob rglob walk chmod lchmod")),
    **dict(_of(_WORLD, "pathlib.Path", "owner group samefile symlink_to hardlink_to readlink copy move")),
    **dict(_of(_WORLD, "asyncio", "open_connection open_unix_connection start_server start_unix_server")),
    **dict(_of(_WORLD, "asyncio", "create_subprocess_exec create_subprocess_shell")),
    **dict.fromkeys(_MODULES_THAT_ACT, _WORLD),
    # threads and loops
    **dict.fromkeys(words("threading _thread multiprocessing concurrent.futures concurrent.interpreters"), _THREADS),
    **dict(_of(_THREADS, "asyncio", "run new_event_loop set_event_loop Runner run_coroutine_threadsafe")),
    **dict(_of(_THREADS, "asyncio.AbstractEventLoop", "run_until_complete run_forever call_soon_threadsafe")),
    "asyncio.AbstractEventLoop.run_in_executor": Source(Reason.THREAD, PLAIN_STEP),
    # what differs by process
    **dict(_of(Source(Reason.IDENTITY, STABLE_KEY), "builtins", "id hash object.__hash__")),
    # code that nobody sees before it runs
    **dict(_of(_UNSEEN, "builtins", "exec eval __import__")),
    **dict(_of(_UNSEEN, "importlib", "import_module reload")),
    **dict(_of(_UNSEEN, "runpy", "run_module run_path")),
}

_HARMLESS = frozenset(
    f"{module}.{name}"
    for module, names in (
        ("os", "path fspath fsencode fsdecode PathLike strerror stat_result name"),
        ("os", "sep altsep linesep curdir pardir extsep pathsep devnull"),
        ("socket", "inet_aton inet_ntoa inet_pton inet_ntop htons htonl ntohs ntohl"),
        ("secrets", "compare_digest"),
        ("signal", "Signals Handlers"),
        ("shutil", "get_terminal_size"),
        ("concurrent.futures", "Future"),
    )
    for name in words(names)
)


def source_of(origin: str, is_held: bool = False) -> Source | Standing:
    """What is known of something outside of the project: `time.time`, `httpx.AsyncClient.get`, `json.loads`.

    A generator of random numbers with a seed of its own is harmless, unless the flow class holds it: then all runs draw
    from it.
    """
    parts = origin.split(".")
    if parts[0] == PACKAGE or parts[-1].endswith(("Error", "Exception", "Warning")):
        return Standing.HARMLESS
    for length in range(len(parts), 0, -1):
        name = ".".join(parts[:length])
        if name in _HARMLESS:
            return Standing.HARMLESS
        if (found := _SOURCES.get(name)) is not None:
            is_own = found.below is not None and length < len(parts) and not is_held
            return Standing.HARMLESS if is_own or is_only_handed_over(parts) else found
    known = parts[0] in sys.stdlib_module_names or parts[0] in PURE
    return Standing.HARMLESS if known or is_only_handed_over(parts) else Standing.UNKNOWN


def is_only_handed_over(parts: Sequence[str]) -> bool:
    """Whether a package hands it over or raises it: `anthropic.types.Message`."""
    return parts[0] not in sys.stdlib_module_names and not HARMLESS_PARTS.isdisjoint(parts[1:-1])
