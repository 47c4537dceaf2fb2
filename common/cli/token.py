"""`billing token`: an access token of the laptop's identity service, for trying things by hand."""

import json
from typing import Annotated, Final
from uuid import UUID

import typer

from common.cli.laptop import AsJson, Url, failure

NO_STACK: Final = "no stack runs here; start one with `make run`, or name its --url"

Sub = Annotated[str, typer.Option(help="Who the token is for.")]
Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scope", help="What it allows; may be given again.", show_default="every function's scope"
    ),
]
Properties = Annotated[
    list[UUID] | None,
    typer.Option(
        "--property", help="Only this property; may be given again.", show_default="all of them"
    ),
]
Tenant = Annotated[UUID | None, typer.Option(help="The tenant.", show_default="the demo hotel")]


def token(
    url: Url = "",
    sub: Sub = "amina",
    scope: Scopes = None,
    property_ids: Properties = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Print an access token of the running stack; it lives an hour."""
    from common.local.client import Client

    if not url:
        raise failure("token", NO_STACK)
    asked: dict[str, object] = {"sub": sub, "scopes": scope or _every_scope()}
    if property_ids:
        asked["propertyIds"] = [str(each) for each in property_ids]
    if tenant:
        asked["tenantId"] = str(tenant)
    try:
        answer = Client(url).post("/dev/token", asked)
    except OSError as error:
        raise failure("token", f"nobody answers at {url}: {error}") from error
    if answer.status != 200:
        raise failure("token", answer.said)
    typer.echo(json.dumps(answer.json) if as_json else answer.json["accessToken"])


def _every_scope() -> list[str]:
    from common.local.functions import http_declarations

    return sorted({each.scope for each in http_declarations() if each.scope})
