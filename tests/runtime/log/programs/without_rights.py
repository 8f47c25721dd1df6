"""Try to open a log as a user without rights: PATH."""

from __future__ import annotations

import os
import sys
import urllib.parse  # noqa: F401  pathlib imports it late, when there may be no right to read it any more

from persistasaurus.errors import LogUnavailable
from persistasaurus.sqlite_log import SqliteLog

NOBODY = 65534


def main(path: str) -> None:
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    try:
        SqliteLog(path).open(lambda commit: None)
        print("opened")
    except LogUnavailable as error:
        print(error)


if __name__ == "__main__":
    main(*sys.argv[1:])
