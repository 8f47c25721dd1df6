"""The build hook `persistc` of hatch: no wheel leaves the house with generated files that are not up to date.

Hatchling finds it by the entry point `hatch` and alone imports it.
"""

from __future__ import annotations

import io
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.plugin import hookimpl

from persistc.__main__ import main
from persistc.exit_codes import CLEAN
from persistc.sources import OUTPUT_ENDINGS, OUTPUT_SUFFIX

_TABLE = "[tool.hatch.build.hooks.persistc]"


class PersistcBuildHook(BuildHookInterface[BuilderConfig]):
    """Runs `persistc check` before a wheel or sdist is built, or `persistc generate` with `generate = true`."""

    PLUGIN_NAME = "persistc"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Check or generate; a build that would ship something wrong ends here.

        What an editable install sees is what is there at run time, and what is built from an sdist was checked when
        that was made, perhaps by another version of persistc.
        """
        generates = self._generates()
        if (Path(self.root) / "PKG-INFO").is_file() or (version == "editable" and not generates):
            return
        said = io.StringIO()
        with chdir(self.root), redirect_stdout(said), redirect_stderr(said):
            exit_code = main(["generate" if generates else "check", "--no-cache"])
        if exit_code != CLEAN:
            self.app.abort(f"{said.getvalue()}nothing was built: {_TABLE} in pyproject.toml asks persistc first")
        if said.getvalue():
            self.app.display_info(said.getvalue().rstrip("\n"))
        if generates:
            # Who generates at build time may keep the files out of git, which would keep them out of the wheel.
            build_data["artifacts"] += [f"*{OUTPUT_SUFFIX}{ending}" for ending in OUTPUT_ENDINGS]

    def _generates(self) -> bool:
        generates = self.config.get("generate", False)
        if not isinstance(generates, bool):
            self.app.abort(f"`generate` in {_TABLE} of pyproject.toml must be true or false, not {generates!r}")
        return bool(generates)


@hookimpl
def hatch_register_build_hook() -> type[PersistcBuildHook]:
    """What hatchling calls to learn of the hook."""
    return PersistcBuildHook
