"""How the commands find the stack that runs on this machine: by the word that it left."""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

DEFAULT_FOLDER: Final = ".local"

Dsn = Annotated[
    str,
    typer.Option(
        envvar="BILLING_MIGRATION_DSN",
        help="Address of the database, as a role that may enter all others.",
        show_default="the running stack's",
    ),
]
Url = Annotated[
    str,
    typer.Option(
        envvar="BILLING_URL", help="The stack's address.", show_default="the running stack's"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def join_running_stack() -> None:
    """Take the settings of the stack that runs in BILLING_LOCAL_FOLDER, where none are given."""
    from common.local.running import running_environment

    folder = Path(os.environ.get("BILLING_LOCAL_FOLDER", DEFAULT_FOLDER))
    for name, value in running_environment(folder).items():
        os.environ.setdefault(name, value)


def failure(command: str, message: str, code: int = 1) -> typer.Exit:
    """Say what went wrong and end with an exit code: `raise failure(...)`."""
    typer.echo(f"billing {command}: {message}", err=True)
    return typer.Exit(code)
