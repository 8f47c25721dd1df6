"""What the crawler knows of pages; no flows."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

_VISITS: dict[str, int] = {}
BLOCKED = frozenset({"ads.example"})


@dataclass
class Page:
    url: str
    links: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


def absolute(page: Page) -> list[str]:
    """The links of a page, each once, in the order they stand."""
    return list(dict.fromkeys(urljoin(page.url, link) for link in page.links))


def count_visit(url: str) -> int:
    """Called by steps."""
    _VISITS[url] = _VISITS.get(url, 0) + 1
    return _VISITS[url]
