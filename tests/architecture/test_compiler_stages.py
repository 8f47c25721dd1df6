"""The compiler is a line of stages: source, tree, names, model, checks, text, files; none imports a later one."""

from __future__ import annotations

import ast

from tests.architecture.imports import COMPILER, imports_of_package

# Each stage with its modules; a package stands for all modules in it. What a stage gives to the next one, a value that
# both know, stands before either.
STAGES = (
    ("values", ("spans", "diagnostics", "flow_tree", "expression_text", "kept_state", "model", "project", "versions",
                "cannot_run", "exit_codes", "disk", "outcome")),
    ("source file", ("configuration", "findings_of_files", "sources", "git")),
    ("libcst tree", ("parse",)),
    ("names", ("import_paths", "names")),
    ("model", ("lower", "interfaces", "reading")),
    ("checks", ("checks",)),
    ("suppression", ("suppression",)),
    ("graphs", ("durations", "sound_projects", "flow_graph")),
    ("proxies", ("docstrings", "stored_types", "carried_names", "error_table",
                 "import_lines", "outline", "proxies", "crash_tests")),
    ("text", ("layout", "render", "seal", "compiling")),
    ("files", ("files", "run_cache")),
    ("edits of sources", ("keeping",)),
    ("types", ("type_checking", "program", "schemas")),
    ("reports", ("source_frame", "reporting", "file_reports", "explanations", "watching")),
    ("changes", ("flow_changes", "log_fit")),
    ("commands", ("project_setup", "commands", "__main__")),
    ("build", ("hatch_hook",)),
)  # fmt: skip
STAGE_OF = {module: number for number, (_, modules) in enumerate(STAGES) for module in modules}
IMPORTS = imports_of_package(COMPILER)


def stage_of(module: str) -> int:
    """Where a module stands in the line; a module that belongs to no stage stands at its end."""
    return STAGE_OF.get(module.removeprefix("persistc").removeprefix(".").partition(".")[0], len(STAGES))


def test_every_module_of_the_compiler_belongs_to_a_stage() -> None:
    modules = {name.split(".")[1] for name in IMPORTS if "." in name}
    assert modules == STAGE_OF.keys()


def test_a_stage_imports_only_earlier_ones() -> None:
    assert [
        f"{module} imports {imported}"
        for module in IMPORTS
        for imported in IMPORTS[module].names
        if imported.startswith("persistc.") and stage_of(imported) > stage_of(module)
    ] == []


def test_only_parse_names_and_lower_see_libcst_and_what_edits_sources() -> None:
    # An edit must keep every space and comment of the user, which the model does not have.
    assert {name for name in IMPORTS if "libcst" in IMPORTS[name].packages} == {
        "persistc.parse",
        "persistc.names",
        "persistc.keeping.edits",
        "persistc.keeping.import_edits",
        *(name for name in IMPORTS if name.startswith("persistc.lower.")),
    } - {"persistc.lower"}


def test_only_render_sees_jinja() -> None:
    assert {name for name in IMPORTS if "jinja2" in IMPORTS[name].packages} == {"persistc.render"}


def test_the_compiler_does_not_import_what_it_compiles_for() -> None:
    assert {name for name in IMPORTS if "persistasaurus" in IMPORTS[name].packages} == set()


READS = frozenset({"isfile", "isdir", "exists", "lexists", "walk", "scandir", "listdir", "stat", "is_file", "is_dir",
                   "read_text", "read_bytes", "iterdir", "glob", "rglob"})  # fmt: skip
READ_THEMSELVES = {"persistc.disk", "persistc.render"}
"""The one that all ask; and templates, which are part of the compiler."""
LAST_TO_ASK = [name for name, _ in STAGES].index("text")


def test_what_is_compiled_is_asked_of_one_module_that_keeps_what_a_run_depended_on() -> None:
    """A question that went round it would make the cache give answers that are out of date."""
    asking: list[str] = []
    for file in sorted(COMPILER.rglob("*.py")):
        module = ".".join(("persistc", *file.relative_to(COMPILER).with_suffix("").parts))
        if stage_of(module) > LAST_TO_ASK or module in READ_THEMSELVES:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            owner, _, name = called.rpartition(".")
            if called == "open" or (owner not in {"", "disk", "ast"} and name in READS):
                asking.append(f"{module}: {called}")
    assert asking == []
