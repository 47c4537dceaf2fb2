"""`billing`: the operator's command."""

import typer

from common.cli.generated import functions, openapi
from common.cli.migrate import migrate
from common.cli.run import run

billing = typer.Typer(
    name="billing",
    help="Run the billing service, look after its database, its tenants and its events.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
billing.command(epilog="Examples: billing run; billing run --once; BILLING_PORT=8090 billing run")(
    run
)
billing.command(epilog="Examples: billing openapi | jq .paths; billing openapi --check")(openapi)
billing.command(epilog="Examples: billing functions | jq keys; billing functions --write")(
    functions
)
billing.add_typer(migrate)


def main() -> None:
    """Run the command that was asked for."""
    billing()
