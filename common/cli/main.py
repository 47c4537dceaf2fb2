"""`billing`: the operator's command.

A command that is not told which database or service it is about takes the stack that runs on this
machine, in BILLING_LOCAL_FOLDER or `.local`.
"""

import typer

from common.cli.dlq import dlq
from common.cli.doctor import doctor
from common.cli.generated import functions, openapi
from common.cli.invoice import invoice
from common.cli.job import job
from common.cli.keys import keys
from common.cli.laptop import join_running_stack
from common.cli.migrate import migrate
from common.cli.recovery import recovery
from common.cli.run import run
from common.cli.tenant import tenant
from common.cli.token import token
from common.cli.trials import trials

billing = typer.Typer(name="billing", no_args_is_help=True, rich_markup_mode=None)


@billing.callback(
    epilog="Begin with `billing run`. `billing --install-completion` completes words in your shell."
)
def join() -> None:
    """Run the billing service, and look after its database, its tenants, its events."""
    join_running_stack()


billing.command(epilog="Examples: billing run; billing run --once; BILLING_PORT=8090 billing run")(
    run
)
billing.command(
    epilog="Examples: billing token; billing token --sub bar --scope billing.folio.read"
)(token)
billing.command(epilog="Examples: billing doctor; billing doctor --json | jq .findings")(doctor)
billing.add_typer(tenant)
billing.add_typer(invoice)
billing.add_typer(keys)
billing.add_typer(job)
billing.add_typer(dlq)
billing.add_typer(migrate)
billing.add_typer(recovery)
billing.add_typer(trials)
billing.command(epilog="Examples: billing openapi | jq .paths; billing openapi --check")(openapi)
billing.command(epilog="Examples: billing functions | jq keys; billing functions --write")(
    functions
)


def main() -> None:
    """Run the command that was asked for."""
    billing()
