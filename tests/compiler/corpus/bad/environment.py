"""Flows that ask the process or its machine."""

from __future__ import annotations

import locale
import os
import platform
import socket
import sys
import threading
from os import environ, getenv
from pathlib import Path

from persistasaurus import flow, step

FOLDER = os.environ.get("FOLDER", "reports")


class ReportFlow:
    def __init__(self, folder: str = os.getcwd()) -> None:
        self.folder = folder
        self.host = socket.gethostname()

    @flow
    def report(self, month: str) -> None:
        self.write(os.environ["FOLDER"])  # error: PST203
        self.write(environ.get("FOLDER", ""))  # error: PST203
        self.write(getenv("FOLDER") or self.folder.lower())  # error: PST203
        if "FOLDER" in os.environ:  # error: PST203
            self.write(FOLDER.upper(), self.host.upper())
        self.write(sys.argv[1], str(os.getpid()))  # error: PST203
        self.write(platform.system(), socket.gethostname())  # error: PST203
        self.write(str(Path.cwd() / Path.home().name))  # error: PST203
        self.write(str(Path(month).resolve()), os.path.abspath(month))  # error: PST203
        self.write(str(threading.get_ident()), str(locale.getlocale()))  # error: PST203
        self.write(os.path.join(month, "a"), os.path.basename(month))
        self.write(os.sep, str(sys.maxsize), sys.byteorder)

    @step
    def write(self, folder: str, *more: str) -> None:
        print(os.environ, folder, more)
