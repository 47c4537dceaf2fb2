"""Accounts of credits, their lots, holds and entries as rows: each mapping beside its columns."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from common.domain.identifiers import (
    CreditAccountId,
    CreditEntryId,
    CreditHoldId,
    CreditLotId,
)
from common.domain.prepaid_account import CreditAccount, CreditEntry, EntryKind
from common.domain.prepaid_book import book
from common.domain.prepaid_claw_back import ClawBack
from common.domain.prepaid_hold import CreditHold, HoldStatus
from common.domain.prepaid_lot import CreditLot, CreditSource, LotShare, in_turn
from common.domain.prepaid_reconciliation import CreditSums
from common.domain.prepaid_reversal import Reversal
from common.postgres.connection import Row

ACCOUNT_COLUMNS: Final = (
    "id, name, balance_micro, held_micro, debt_micro, last_entry, free_month, free_used_micro,"
    " low_below_micro, is_low, opened_at, version, trail, state_digest"
)
LOT_COLUMNS: Final = (
    "id, account_id, root_id, source, source_key, priority, granted_micro, left_micro, held_micro,"
    " expires_at, granted_at"
)
HOLD_COLUMNS: Final = (
    "id, account_id, amount_micro, is_free, service, reference, status, captured_micro, placed_at,"
    " expires_at, ended_at"
)
ENTRY_COLUMNS: Final = (
    "id, account_id, sequence, kind, amount_micro, held_micro, debt_micro, metered_micro,"
    " balance_micro, service, reference, reason, hold_id, counterpart, occurred_at"
)


def account_of(row: Row) -> CreditAccount:
    """An account as it was read, without what it holds."""
    return CreditAccount(
        id=CreditAccountId(row[1]),
        name=row[2],
        balance_micro=row[3],
        held_micro=row[4],
        debt_micro=row[5],
        last_entry=row[6],
        free_month=row[7],
        free_used_micro=row[8],
        low_below_micro=row[9],
        is_low=row[10],
        opened_at=row[11],
        version=row[12],
        trail=bytes(row[13]),
        state_digest=row[14] and bytes(row[14]),
        is_new=False,
    )


def lot_of(row: Row) -> CreditLot:
    """A lot as it was read."""
    return CreditLot(
        id=CreditLotId(row[1]),
        account_id=CreditAccountId(row[2]),
        root_id=CreditLotId(row[3]),
        source=CreditSource(row[4]),
        source_key=row[5],
        granted_micro=row[7],
        left_micro=row[8],
        held_micro=row[9],
        expires_at=row[10],
        granted_at=row[11],
    )


def hold_of(row: Row, shares: tuple[LotShare, ...] = ()) -> CreditHold:
    """A hold as it was read."""
    return CreditHold(
        id=CreditHoldId(row[1]),
        account_id=CreditAccountId(row[2]),
        amount_micro=row[3],
        is_free=row[4],
        service=row[5],
        reference=row[6],
        status=HoldStatus(row[7]),
        captured_micro=row[8],
        placed_at=row[9],
        expires_at=row[10],
        ended_at=row[11],
        shares=shares,
    )


def entry_of(row: Row) -> CreditEntry:
    """An entry as it was read; the last column is its lots, as JSON."""
    return CreditEntry(
        id=CreditEntryId(row[1]),
        account_id=CreditAccountId(row[2]),
        sequence=row[3],
        kind=EntryKind(row[4]),
        amount_micro=row[5],
        held_micro=row[6],
        debt_micro=row[7],
        metered_micro=row[8],
        balance_micro=row[9],
        service=row[10],
        reference=row[11],
        reason=row[12],
        hold_id=row[13] and CreditHoldId(row[13]),
        counterpart=row[14] and CreditAccountId(row[14]),
        occurred_at=row[15],
        shares=tuple(
            LotShare(lot_id=CreditLotId(lot), amount_micro=amount, held_micro=held)
            for lot, amount, held in row[16]
        ),
    )


def claw_back_of(row: Row) -> ClawBack:
    """What was taken back, as it was read."""
    return ClawBack(
        source_key=row[1],
        lot_id=CreditLotId(row[2]),
        asked_micro=row[3],
        taken_micro=row[4],
        debt_micro=row[5],
        reason=row[6],
    )


def sums_of(row: Row) -> CreditSums:
    """The ways to know what an account has, as they were read."""
    return CreditSums(
        account_id=CreditAccountId(row[1]),
        balance=row[2],
        balance_by_entries=row[3],
        balance_by_lots=row[4],
        balance_by_book=row[5],
        held=row[6],
        held_by_entries=row[7],
        held_by_lots=row[8],
        held_by_holds=row[9],
        debt=row[10],
        debt_by_entries=row[11],
        debt_by_book=row[12],
    )


def assembled(
    accounts: Iterable[Row], lots: Iterable[Row], holds: Iterable[Row], shares: Iterable[Row]
) -> list[CreditAccount]:
    """Accounts with their lots and open holds; a hold's shares in the order of spending."""
    lots_of, holds_of = defaultdict(list), defaultdict(list)
    for lot in in_turn(lot_of(row) for row in lots):
        lots_of[lot.account_id].append(lot)
    held: dict[tuple[str, str], int] = {(row[1], row[2]): row[3] for row in shares}
    for row in holds:
        parts = tuple(
            LotShare(lot_id=lot.id, held_micro=held[row[1], lot.id])
            for lot in lots_of[CreditAccountId(row[2])]
            if (row[1], lot.id) in held
        )
        holds_of[CreditAccountId(row[2])].append(hold_of(row, parts))
    found = [account_of(row) for row in accounts]
    for account in found:
        account.lots, account.holds = tuple(lots_of[account.id]), tuple(holds_of[account.id])
    return found


def lot_row(lot: CreditLot) -> dict[str, Any]:
    """A lot as it is written."""
    return {
        "id": lot.id,
        "account_id": lot.account_id,
        "root_id": lot.root_id,
        "source": lot.source,
        "source_key": lot.source_key,
        "priority": lot.source.priority,
        "granted_micro": lot.granted_micro,
        "left_micro": lot.left_micro,
        "held_micro": lot.held_micro,
        "expires_at": lot.expires_at,
        "granted_at": lot.granted_at,
    }


def hold_row(hold: CreditHold) -> dict[str, Any]:
    """A hold as it is written."""
    return {
        "id": hold.id,
        "account_id": hold.account_id,
        "amount_micro": hold.amount_micro,
        "is_free": hold.is_free,
        "service": hold.service,
        "reference": hold.reference,
        "status": hold.status,
        "captured_micro": hold.captured_micro,
        "placed_at": hold.placed_at,
        "expires_at": hold.expires_at,
        "ended_at": hold.ended_at,
    }


def entry_row(entry: CreditEntry, actor: str, now: datetime) -> dict[str, Any]:
    """An entry as it is written, once."""
    return {
        "id": entry.id,
        "account_id": entry.account_id,
        "sequence": entry.sequence,
        "kind": entry.kind,
        "amount_micro": entry.amount_micro,
        "held_micro": entry.held_micro,
        "debt_micro": entry.debt_micro,
        "metered_micro": entry.metered_micro,
        "balance_micro": entry.balance_micro,
        "service": entry.service,
        "reference": entry.reference,
        "reason": entry.reason,
        "hold_id": entry.hold_id,
        "counterpart": entry.counterpart,
        "occurred_at": entry.occurred_at,
        "actor": actor,
        "recorded_at": now,
    }


def share_rows(entry: CreditEntry) -> list[dict[str, Any]]:
    """What an entry moved of which lot, as it is written, once."""
    return [
        {
            "entry_id": entry.id,
            "lot_id": share.lot_id,
            "amount_micro": share.amount_micro,
            "held_micro": share.held_micro,
        }
        for share in entry.shares
    ]


def book_rows(entry: CreditEntry, now: datetime) -> list[dict[str, Any]]:
    """How an entry is booked, as it is written, once."""
    return [
        {
            "entry_id": entry.id,
            "part": booked.part,
            "debit_account": booked.debit,
            "credit_account": booked.credit,
            "amount_micro": booked.amount_micro,
            "occurred_at": entry.occurred_at,
            "recorded_at": now,
        }
        for booked in book(entry)
    ]


def claw_back_row(claw_back: ClawBack, now: datetime) -> dict[str, Any]:
    """What was taken back, as it is written, once."""
    return {
        "source_key": claw_back.source_key,
        "lot_id": claw_back.lot_id,
        "asked_micro": claw_back.asked_micro,
        "taken_micro": claw_back.taken_micro,
        "debt_micro": claw_back.debt_micro,
        "reason": claw_back.reason,
        "occurred_at": now,
        "recorded_at": now,
    }


def reversal_row(reversal: Reversal, now: datetime) -> dict[str, Any]:
    """What was given back, as it is written, once."""
    return {
        "source_key": reversal.source_key,
        "returned_micro": reversal.returned_micro,
        "cancelled_micro": reversal.cancelled_micro,
        "reason": reversal.reason,
        "occurred_at": now,
        "recorded_at": now,
    }
