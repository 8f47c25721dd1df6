"""What `persistc explain PSTnnn` prints: a page of markdown for each code, each a file beside this module."""

from importlib.resources import files

from persistc.diagnostics import Code


class UnknownCode(LookupError):
    """There is no finding with this code; the message lists those there are."""


def explain(code: str) -> str:
    """The page for `code` (`PST040`, in any case, or `missing-annotation`), as markdown that ends with a line break.

    Raises `UnknownCode` when persistc has no such finding.
    """
    known = _known(code)
    return files(__name__).joinpath(f"{known}.md").read_text(encoding="utf-8")


def _known(code: str) -> Code:
    for candidate in Code:
        if code.upper() == candidate or code.lower() == candidate.slug:
            return candidate
    listing = "\n".join(f"  {candidate}  {candidate.slug}" for candidate in Code)
    raise UnknownCode(f"persistc has no finding `{code}`; it has these:\n{listing}")
