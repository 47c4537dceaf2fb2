"""`billing dlq`: look at the messages that were refused for good, and decide about each.

Replaying hands a message to its consumer again, as if it had just been pushed; one that has had its
effect meanwhile changes nothing. An event of the processor that was nobody's is taken in as if it
had come now, once it is known whose it is. Dropping keeps the message and asks for the reason.

Exit code 0: done; 1: some letter could not be replayed or dropped, the output says why; 2: the
command is wrong.
"""

import json
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from common.domain.refusal import Missing, Refusal, Unmet
from common.domain.webhook import QUARANTINED_BY

if TYPE_CHECKING:
    from common.ports.dead_letters import DeadLetter
    from common.wiring import Wiring

dlq = typer.Typer(
    name="dlq", help="Messages that were refused: list, show, replay, drop.", no_args_is_help=True
)

NOT_DONE: Final = 1
WRONG: Final = 2
REPLAYED_AT_ONCE_MAX: Final = 1000
LETTER_ID_LENGTH: Final = len("dlq_") + 26


class ConsumerUnknown(Missing):
    area = "GENERAL"
    code = "CONSUMER_UNKNOWN"
    title = "There is no such consumer any more"


class RoleMissing(Unmet):
    area = "GENERAL"
    code = "ROLE_MISSING"
    title = "Tenants are made by another role: billing tenant create, then drop the letter"


class State(StrEnum):
    waiting = "waiting"
    replayed = "replayed"
    dropped = "dropped"
    all = "all"


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Consumer = Annotated[
    str | None, typer.Option(help="Only letters of this consumer.", show_default=False)
]
Letter = Annotated[str, typer.Argument(help="The letter's id.", show_default=False)]
Letters = Annotated[list[str] | None, typer.Argument(help="The letters' ids.", show_default=False)]


@dlq.command("list", epilog="Example: billing dlq list --consumer on_payment_captured")
def list_(
    consumer: Consumer = None,
    state: Annotated[State, typer.Option(help="Which ones.")] = State.waiting,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 50,
    after: Annotated[str, typer.Option(help="Only those after this letter.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show letters in the order of their coming."""
    letters = _wiring().dead_letters.list(
        consumer=consumer, state=state.value, limit=limit, after=after
    )
    if as_json:
        typer.echo(json.dumps({"letters": [_summary(each) for each in letters]}))
        return
    whole = Column("letter", no_wrap=True, min_width=LETTER_ID_LENGTH)
    table = Table(whole, "consumer", "received", "state", "reason", box=None)
    for each in letters:
        received = each.received_at.isoformat(timespec="seconds")
        table.add_row(each.id, each.consumer, received, each.state, escape(each.reason))
    Console(soft_wrap=True).print(table)
    typer.echo(f"{len(letters)} letters")


@dlq.command(epilog="Example: billing dlq show dlq_01K9ZQ0M8Y... --json | jq .event")
def show(letter: Letter, as_json: AsJson = False) -> None:
    """Show one letter with its message, and the event in it where one can be read."""
    try:
        found = _wiring().dead_letters.show(letter)
    except Refusal as refusal:
        raise _failure(f"{letter}: {refusal}", WRONG) from refusal
    document = {**_summary(found), "message": json.loads(found.message), "event": _event(found)}
    typer.echo(json.dumps(document, indent=None if as_json else 2, ensure_ascii=False))


@dlq.command(epilog="Example: billing dlq replay --consumer on_payment_captured")
def replay(letters: Letters = None, consumer: Consumer = None, as_json: AsJson = False) -> None:
    """Deliver letters again: those that are named, or all that wait of a consumer."""
    if bool(letters) == bool(consumer):
        raise _failure("name the letters, or a consumer with --consumer", WRONG)
    wiring = _wiring()
    waiting = wiring.dead_letters.list(consumer=consumer, limit=REPLAYED_AT_ONCE_MAX)
    chosen = letters or [each.id for each in waiting]
    outcomes = {each: _replayed(wiring, each) for each in chosen}
    _tell(outcomes, "replayed", as_json=as_json)


@dlq.command(epilog="Example: billing dlq drop dlq_01K9ZQ0M8Y... --reason 'test of the processor'")
def drop(
    letters: Annotated[list[str], typer.Argument(help="The letters' ids.", show_default=False)],
    reason: Annotated[str, typer.Option(help="Why nobody needs it.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Let letters go. They stay to be looked at, with the reason."""
    if not reason.strip():
        raise _failure("say why with --reason", WRONG)
    wiring = _wiring()
    outcomes = {}
    for each in letters:
        try:
            wiring.dead_letters.drop(each, reason.strip())
            outcomes[each] = ""
        except Refusal as refusal:
            outcomes[each] = str(refusal)
    _tell(outcomes, "dropped", as_json=as_json)


def _replayed(wiring: "Wiring", letter_id: str) -> str:
    """Deliver one letter; answers what kept it from having its effect, or nothing."""
    from common.local.functions import event_declarations, http_declarations
    from common.runtime.pushed import Delivery

    consumers = {each.name: each for each in event_declarations()}
    signed = {each.name: each for each in http_declarations() if each.signed_by is not None}

    def deliver(letter: "DeadLetter") -> None:
        if letter.consumer in signed:
            wiring.webhook_edge.replay(signed[letter.consumer], letter.message)
            return
        if letter.consumer not in consumers:
            raise ConsumerUnknown(letter.consumer)
        if "provisioning" in consumers[letter.consumer].needs and not wiring.settings.makes_tenants:
            raise RoleMissing
        wiring.event_edge.deliver(consumers[letter.consumer], Delivery.of_letter(letter.message))

    try:
        wiring.dead_letters.replay(letter_id, deliver)
    except Refusal as refusal:
        return str(refusal)
    except Exception as error:  # noqa: BLE001 - one letter's trouble is not the next one's
        return type(error).__name__
    return ""


def _tell(outcomes: dict[str, str], done: str, *, as_json: bool) -> None:
    failed = {letter: why for letter, why in outcomes.items() if why}
    if as_json:
        typer.echo(
            json.dumps({done: [each for each in outcomes if each not in failed], "failed": failed})
        )
    else:
        for letter, why in outcomes.items():
            typer.echo(f"{letter} {why or done}")
    if failed:
        raise typer.Exit(NOT_DONE)


def _summary(letter: "DeadLetter") -> dict[str, object]:
    fields = asdict(letter)
    del fields["message"]
    document = {_camel(name): _plain(value) for name, value in fields.items()}
    return {**document, "state": letter.state}


def _event(letter: "DeadLetter") -> dict[str, object] | None:
    from common.runtime.pushed import Delivery

    if letter.consumer == QUARANTINED_BY:
        return None
    try:
        event = Delivery.of_letter(letter.message).event()
    except Refusal:
        return None
    return {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "tenantid": str(event.tenant_id),
        "data": event.data,
    }


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _wiring() -> "Wiring":
    from common.wiring import edge

    return edge()


def _failure(message: str, code: int) -> typer.Exit:
    typer.echo(f"billing dlq: {message}", err=True)
    return typer.Exit(code)
