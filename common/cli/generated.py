"""`billing openapi` and `billing functions`: the documents that are made from the declarations.

Each is committed, so that a reader and a diff see it. `--check` ends with exit code 1 where the
committed text is not what the code says; the tests do the same.
"""

import json
import pkgutil
import re
from collections.abc import Callable
from difflib import unified_diff
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer

STALE: Final = 1
SHOWN_LINES_MAX: Final = 40
INTERFACE: Final = "functions/README.md"
EDGES: Final = ("common.cli", "common.local", "common.google")

Write = Annotated[bool, typer.Option("--write", help="Write what the code says.")]
Check = Annotated[bool, typer.Option("--check", help="Exit code 1 when the file is stale.")]


def root() -> Path:
    """The project's folder."""
    from common.local.functions import ROOT

    return ROOT


def openapi_text() -> str:
    """common/contracts/openapi.json as the code says it."""
    from common.local.functions import http_declarations
    from common.runtime.openapi import openapi

    load_refusals()
    return _json(openapi(http_declarations()))


def asyncapi_text() -> str:
    """common/contracts/asyncapi.json as the code says it."""
    from common.contracts.asyncapi import asyncapi

    return _json(asyncapi())


def functions_text() -> str:
    """terraform/functions.json as the code says it."""
    from common.local.functions import declarations, job_declarations
    from common.runtime.function_map import function_map

    return _json(function_map([*declarations(), *job_declarations()]))


def interface_text() -> str:
    """functions/README.md with its tables as the code says them."""
    from common.runtime.problem_catalogue import known_problems

    load_refusals()
    text = (root() / INTERFACE).read_text(encoding="utf-8")
    text = _between(text, "functions", _functions_table())
    problems = [
        f"| `{each.code}` | {each.status} | {each.title} |" for each in known_problems().values()
    ]
    head = ["| code | status | what it says |", "| --- | --- | --- |"]
    return _between(text, "problems", "\n".join([*head, *problems]))


DOCUMENTS: Final[dict[str, Callable[[], str]]] = {
    "common/contracts/openapi.json": openapi_text,
    "common/contracts/asyncapi.json": asyncapi_text,
    "terraform/functions.json": functions_text,
    INTERFACE: interface_text,
}


def openapi(write: Write = False, check: Check = False) -> None:
    """Print, write or check the OpenAPI 3.1 document of all functions that clients call.

    The AsyncAPI 3 document of the events that we publish is written and checked with it.
    """
    names = ["common/contracts/openapi.json", "common/contracts/asyncapi.json"]
    _show(names, write=write, check=check)


def functions(write: Write = False, check: Check = False) -> None:
    """Print, write or check the map of all functions and jobs, and the tables that people read."""
    _show(["terraform/functions.json", INTERFACE], write=write, check=check)


def load_refusals() -> None:
    """Import every module in which a refusal may stand, so that no code is forgotten."""
    package = import_module("common")
    for module in pkgutil.walk_packages(package.__path__, "common."):
        if not module.name.startswith(EDGES):
            import_module(module.name)


def _show(names: list[str], *, write: bool, check: bool) -> None:
    stale = [name for name in names if not _matches(name)]
    if write:
        for name in stale:
            (root() / name).write_text(DOCUMENTS[name](), encoding="utf-8")
        typer.echo(f"{', '.join(stale) or 'nothing'} written", err=True)
    elif check:
        for name in stale:
            typer.echo(_difference(name), err=True)
        if stale:
            typer.echo(f"stale: {', '.join(stale)}; `make openapi` writes them", err=True)
            raise typer.Exit(STALE)
    else:
        typer.echo(DOCUMENTS[names[0]](), nl=False)


def _matches(name: str) -> bool:
    path = root() / name
    return path.exists() and path.read_text(encoding="utf-8") == DOCUMENTS[name]()


def _difference(name: str) -> str:
    path = root() / name
    there = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = unified_diff(
        there.splitlines(), DOCUMENTS[name]().splitlines(), name, "the code", lineterm=""
    )
    return "\n".join(list(lines)[:SHOWN_LINES_MAX])


def _functions_table() -> str:
    from common.local.functions import declarations, job_declarations
    from common.runtime.declaration import EventDeclaration, HttpDeclaration, JobDeclaration

    rows = ["| what calls it | function | scope | what it does |", "| --- | --- | --- | --- |"]
    for each in sorted([*declarations(), *job_declarations()], key=_reading_order):
        match each:
            case HttpDeclaration():
                called, scope = f"`{each.method} {each.full_path}`", f"`{each.scope or 'public'}`"
            case EventDeclaration():
                called, scope = f"event `{each.event_type}`", "Google's identity token"
            case JobDeclaration():
                called, scope = f"schedule `{each.schedule}`", "its own service account"
            case _:
                raise TypeError(each.name)
        source = f"../{each.module.replace('.', '/')}.py".removeprefix("../functions/")
        rows.append(f"| {called} | [`{each.name}`]({source}) | {scope} | {each.summary} |")
    return "\n".join(rows)


def _reading_order(declaration: Any) -> tuple[int, str, str]:
    """What clients call first, by area; then events, then jobs."""
    kinds = ("HttpDeclaration", "EventDeclaration", "JobDeclaration")
    place = getattr(declaration, "full_path", declaration.name)
    return kinds.index(type(declaration).__name__), declaration.area, place


def _between(text: str, name: str, table: str) -> str:
    """Put a table between its markers, which stay. Raises ValueError when they are missing."""
    begin, end = f"<!-- {name}: begin, `make openapi` writes this -->", f"<!-- {name}: end -->"
    form = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    if not form.search(text):
        raise ValueError(f"{INTERFACE} has no place for the table of {name}: {begin} ... {end}")
    return form.sub(lambda _: f"{begin}\n{table}\n{end}", text, count=1)


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
