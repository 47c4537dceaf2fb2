"""The reconciliation with the processor: our side is read, the processor asked, the two compared.

What the processor is asked for is read before it is asked, and what it says is compared with the
books as they are afterwards: whatever reached them meanwhile is found there by its id. Of the
processor's movements those count that say they are this tenant's, are of a payment of its books, or
have left its account.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from common.domain.dataclass import dataclass
from common.domain.identifiers import ProcessorDifferenceId
from common.domain.processor_reconciliation import (
    Differs,
    Known,
    Movement,
    MovementKind,
    Span,
    compared,
    judged,
)
from common.ports.answers import Unknown
from common.ports.movements import MovementsWanted
from common.ports.powers import Powers
from common.ports.transaction import Transaction

PAGES_MAX: Final = 1_000
CHASED_MAX: Final = 500


class ProcessorSilent(Exception):
    """The processor did not tell its side: nothing was compared, and the next run asks again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A span that is looked at, what we have of it, and the differences that are open by now.

    `account` is the tenant's at the processor, empty where it has none: no payout left it then.
    """

    tenant_id: UUID
    span: Span
    ours: tuple[Movement, ...]
    chased: tuple[Differs, ...]
    at: datetime
    account: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The processor's side of a look: what it has, and what it was asked for by id and has not."""

    look: Look
    theirs: dict[Known, Movement]
    missing: frozenset[Known]


def look_at(span: Span, tx: Transaction) -> Look:
    """Read our side of a span."""
    return Look(
        tenant_id=tx.tenant_id,
        span=span,
        ours=tuple(tx.processor_differences.moved_in(span)),
        chased=tuple(tx.processor_differences.open_ones(CHASED_MAX)),
        at=tx.now,
        account=tx.processor_differences.account(),
    )


def ask_for_movements(look: Look, powers: Powers) -> Answered:
    """Ask for all that moved in the span, and by their ids for what is missing among it.

    Raises ProcessorSilent.
    """
    theirs = {each.known: each for kind in MovementKind for each in _listed(look, kind, powers)}
    wanted = {each.known: each.payment for each in look.ours if not each.is_open}
    wanted |= {each.known: each.payment for each in look.chased}
    missing = set()
    for known, payment in wanted.items():
        if known in theirs:
            continue
        found = powers.gateway.movement(known, payment)
        if isinstance(found, Unknown):
            raise ProcessorSilent(known.kind)
        if found is None:
            missing.add(known)
        else:
            theirs[known] = found
    return Answered(look, theirs, frozenset(missing))


def keep_differences(answered: Answered, tx: Transaction) -> None:
    """Write down what differs and what differs no longer, and tell of both."""
    look, theirs = answered.look, answered.theirs
    asked = {*theirs, *answered.missing, *(each.known for each in look.ours)}
    payments = {each.payment for each in theirs.values()}
    known, ours_paid = tx.processor_differences.moved_as(asked, payments)
    ours = {each.known: each for each in known}
    counted = {
        key: replace(each, property_id=ours_paid.get(each.payment, each.property_id))
        for key, each in theirs.items()
        if key.kind is MovementKind.PAYOUT  # its account was asked, and that is the tenant's
        or each.tenant_id == look.tenant_id
        or each.payment in ours_paid
        or key in ours
    }
    found = list(compared(ours, counted, answered.missing))
    rows = tx.processor_differences.take_for(found)
    for fact in judged(rows, found, asked, _new_ids(tx), look.at):
        tx.tell(fact)
        tx.processor_differences.keep(fact.subject)
    # a row that was compared and is as it was has been looked at all the same
    for row in rows:
        tx.processor_differences.keep(row)


def _listed(look: Look, kind: MovementKind, powers: Powers) -> Iterator[Movement]:
    """All pages of a kind. Raises ProcessorSilent."""
    if kind is MovementKind.PAYOUT and not look.account:
        return
    cursor = None
    for _ in range(PAGES_MAX):
        wanted = MovementsWanted(
            tenant_id=look.tenant_id,
            kind=kind,
            span=look.span,
            cursor=cursor,
            account=look.account,
        )
        page = powers.gateway.movements(wanted)
        if isinstance(page, Unknown):
            raise ProcessorSilent(kind)
        yield from page.items
        if page.next_cursor is None:
            return
        cursor = page.next_cursor
    raise ProcessorSilent(f"more than {PAGES_MAX} pages of {kind}")


def _new_ids(tx: Transaction) -> Iterator[ProcessorDifferenceId]:
    while True:
        yield tx.new_id(ProcessorDifferenceId)
