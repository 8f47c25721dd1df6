"""From the module an import names to the file of the project it stands for."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field

from persistc import disk
from persistc.model import PACKAGE
from persistc.sources import SourceFile, module_name, module_stem

_ELSEWHERE = sys.stdlib_module_names | {PACKAGE, "__future__"}


@dataclass(frozen=True)
class ImportPaths:
    """Where imports are looked for: each folder from the importing file up to the root, `src`, and `source`.

    Every folder upwards is tried because which of them is on `sys.path` is known only when the program runs; the
    nearest one wins.
    """

    root: str
    source: tuple[str, ...]
    _seen: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def name_of(self, module: str, importer: SourceFile) -> str:
        """The name in this run of an imported module (`..types`, `app.types`); the name as written if it is no
        module or folder of the project."""
        if module.startswith("."):
            return self._relative(module, importer)
        if module.partition(".")[0] in _ELSEWHERE:
            return module
        folder = os.path.dirname(importer.path)
        key = (module, folder)
        if key not in self._seen:
            self._seen[key] = self._absolute(module, folder)
        return self._seen[key] or module

    def origin_of(self, module: str, name: str, importer: SourceFile) -> str:
        """What `from module import name` makes known; for `*` the module itself."""
        package = self.name_of(module, importer)
        if name == "*":
            return package
        # A folder without `__init__.py` is not found by itself on every path: try the longer name first.
        longer = self.name_of(f"{module}{'' if module.endswith('.') else '.'}{name}", importer)
        if longer.startswith(".") and self._exists(module_stem(longer, self.root)):
            return longer
        return f"{package}.{name}"

    def _relative(self, module: str, importer: SourceFile) -> str:
        name = module.lstrip(".")
        package = importer.package
        for _ in range(len(module) - len(name) - 1):
            package = package.rpartition(".")[0]
        return f"{package}.{name}" if name else package

    def _absolute(self, module: str, folder: str) -> str | None:
        below = module.replace(".", os.sep)
        for start in self._starts(folder):
            path = os.path.join(start, below)
            if self._exists(path):
                return module_name(path, self.root)
        return None

    def _starts(self, folder: str) -> list[str]:
        starts = [folder]
        inside = folder.startswith(os.path.join(self.root, ""))
        while folder != self.root and (inside or disk.is_file(os.path.join(folder, "__init__.py"))):
            folder = os.path.dirname(folder)
            starts.append(folder)
        return [*starts, os.path.join(self.root, "src"), *self.source]

    @staticmethod
    def _exists(path: str) -> bool:
        return disk.is_file(f"{path}.py") or disk.is_folder(path)
