"""`billing trials`: the keys by which who had a trial is known again, and taking the oldest away.

Exit code 0: done; 1: some are not known by the next key yet, the output says how many; 2: the
command is wrong.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from common.cli.laptop import AsJson, failure
from common.domain.refusal import Conflict

if TYPE_CHECKING:
    from common.postgres.trial_key_ring import TrialKeyRing

trials = typer.Typer(
    name="trials", help="Who had a trial: the keys they are known by.", no_args_is_help=True
)


@trials.command(epilog="Example: billing trials keys --json")
def keys(as_json: AsJson = False) -> None:
    """Say how many trials are marked under each key, and how many of those not under the next."""
    found = _ring().list()
    if as_json:
        typer.echo(json.dumps({"keys": [asdict(each) for each in found]}))
        return
    for each in found:
        typer.echo(
            f"key {each.version}: {each.trials} trials, {each.not_under_next} not under the next"
        )


@trials.command("drop-key", epilog="Example: billing trials drop-key 1")
def drop_key(
    number: Annotated[int, typer.Argument(min=1, help="The oldest key.", show_default=False)],
) -> None:
    """Take the oldest key away, once everybody is known by the next one."""
    try:
        gone = _ring().drop(number)
    except Conflict as refused:
        told = ", ".join(f"{what} {count}" for what, count in refused.extra.items())
        raise failure("trials", f"{refused.title} ({told})") from refused
    typer.echo(f"key {number} is gone, and what it marked of {gone.trials} trials")


def _ring() -> "TrialKeyRing":
    from common.wiring import edge

    return edge().trial_key_ring
