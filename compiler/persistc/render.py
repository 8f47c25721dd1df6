"""From proxy modules to text: the only stage that knows jinja2. The templates show the shape and decide nothing."""

from __future__ import annotations

from functools import cache
from importlib import resources

import jinja2

from persistc.crash_tests import CrashTestModule
from persistc.layout import laid_out_file
from persistc.proxies import ProxyModule


def render_proxies(module: ProxyModule) -> str:
    """The body of `flows_durable.py`."""
    return _render("proxies.py.jinja", module)


def render_stub(module: ProxyModule) -> str:
    """The body of `flows_durable.pyi`."""
    return _render("proxies.pyi.jinja", module)


def render_crash_tests(module: CrashTestModule) -> str:
    """A test file of `persistc generate --tests`."""
    return _environment().get_template("crash_tests.py.jinja").render(module=module)


def _render(template: str, module: ProxyModule) -> str:
    return laid_out_file(_environment().get_template(template).render(module=module))


@cache
def _environment() -> jinja2.Environment:
    templates = resources.files("persistc_templates")
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (templates / name).read_text(encoding="utf-8")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # what comes out is Python, not HTML
    )
