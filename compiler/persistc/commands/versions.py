"""`persistc versions`: the bodies of each flow, and which flows in flight run on them."""

from __future__ import annotations

import argparse

from persistc.commands.options import add_python, add_sources
from persistc.exit_codes import CLEAN, FINDINGS
from persistc.reporting import OutputFormat


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Its arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "versions", help="list the versions of flows, the flows in flight on each, and which can be removed"
    )
    add_sources(parser)
    parser.add_argument("--log", metavar="LOG", help="an execution log, which is only read; engines may have it open")
    formats = (OutputFormat.TEXT.value, OutputFormat.JSON.value)
    parser.add_argument("--output-format", choices=formats, default=formats[0], help="default: %(default)s")
    add_python(parser, "that looks into the log")
    return parser


def run(options: argparse.Namespace) -> int:
    """Print them; a version on record that has no body is a finding."""
    from persistc.commands.printing import print_text
    from persistc.configuration import read_configuration
    from persistc.log_fit.asking import Question, code_of, flows_in_flight
    from persistc.log_fit.versions import render_versions, versions_of
    from persistc.sound_projects import sound_reading

    configuration = read_configuration(options.paths)
    project = sound_reading(options.paths, configuration).project
    flows = None
    if options.log is not None:
        flows = flows_in_flight(Question(options.log, options.python), project, str(configuration.root.absolute()))
    versions = versions_of(code_of(project).graphs, flows)
    print_text(render_versions(versions, OutputFormat(options.output_format)))
    return FINDINGS if any(each.is_missing for each in versions) else CLEAN
