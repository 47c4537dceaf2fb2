"""Accounts of prepaid credits, with what they hold and what moved on them.

An account is locked while its credits move; two are locked in the order of their ids. It opens with
an insert that does nothing where somebody was faster, so that whoever comes first, both go on with
the same account.
"""

from collections.abc import Sequence

from common.domain.identifiers import CreditAccountId, CreditHoldId, CreditLotId, PaymentId
from common.domain.prepaid_account import (
    MAIN,
    CreditAccount,
    CreditAccountUnknown,
    CreditEntry,
    EntryKind,
)
from common.domain.prepaid_claw_back import ClawBack, GrantedCredits, GrantUnknown
from common.domain.prepaid_hold import CreditHold, HoldStatus, HoldUnknown
from common.domain.prepaid_reconciliation import CreditSums
from common.domain.prepaid_redemption import Redemption
from common.domain.prepaid_reversal import ClawBackReversed, ClawBackUnknown, DebtMove, Reversal
from common.domain.prepaid_terms import CREDITS_MICRO_MAX
from common.ports.paging import CursorInvalid, Page
from common.ports.prepaid import CreditFilter
from common.postgres import prepaid_sql as sql
from common.postgres import ranks
from common.postgres.connection import Statement, Value
from common.postgres.paging import key_of, next_cursor
from common.postgres.prepaid_rows import (
    ENTRY_COLUMNS,
    HOLD_COLUMNS,
    LOT_COLUMNS,
    assembled,
    book_rows,
    claw_back_of,
    claw_back_row,
    entry_of,
    entry_row,
    hold_of,
    hold_row,
    lot_of,
    lot_row,
    reversal_row,
    share_rows,
    sums_of,
)
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

INSERT_LOT = Insert.into(ranks.AGGREGATES, "credit_lots", LOT_COLUMNS)
INSERT_HOLD = Insert.into(ranks.AGGREGATES, "credit_holds", HOLD_COLUMNS)
INSERT_ENTRY = Insert.into(
    ranks.DOCUMENTS, "credit_ledger_entries", f"{ENTRY_COLUMNS}, actor, recorded_at"
)
INSERT_SHARE = Insert.into(
    ranks.DOCUMENT_PARTS, "credit_entry_lots", "entry_id, lot_id, amount_micro, held_micro"
)
INSERT_BOOKED = Insert.into(
    ranks.LEDGER,
    "credit_book_entries",
    "entry_id, part, debit_account, credit_account, amount_micro, occurred_at, recorded_at",
)
INSERT_CLAW_BACK = Insert.into(
    ranks.DOCUMENTS,
    "credit_claw_backs",
    "source_key, lot_id, asked_micro, taken_micro, debt_micro, reason, occurred_at, recorded_at",
)
INSERT_REVERSAL = Insert.into(
    ranks.DOCUMENT_PARTS,
    "credit_claw_back_reversals",
    "source_key, returned_micro, cancelled_micro, reason, occurred_at, recorded_at",
)
INSERT_WARNING = Insert.into(
    ranks.DOCUMENTS, "credit_expiry_warnings", "lot_id, days_before, told_at"
)


class PrepaidAccounts:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, name: str) -> CreditAccount:
        replies = self._desk.batch(*_asking(sql.BY_NAME, sql.BY_NAME.get, name))
        found = assembled(*replies)
        if not found and name == MAIN:
            return CreditAccount(
                id=self._desk.new_id(CreditAccountId), name=name, opened_at=self._desk.now
            )
        return self._known(found, name)

    def take(self, name: str) -> CreditAccount:
        asked = _asking(sql.BY_NAME, sql.BY_NAME.take, name)
        found = assembled(*self._desk.batch(*asked))
        if not found and name == MAIN:
            found = assembled(*self._desk.batch(self._opening(name), *asked)[1:])
        return self._known(found, name)

    def take_by_id(self, account_id: CreditAccountId) -> CreditAccount:
        asked = _asking(sql.BY_ID, sql.BY_ID.take, account_id)
        found = assembled(*self._desk.batch(*asked))
        if not found:
            raise CreditAccountUnknown()
        return self._desk.loaded(found[0])

    def take_to_grant(self, name: str, source_key: str) -> tuple[CreditAccount, CreditLotId | None]:
        _, *parts, granted = self._desk.batch(
            self._opening(name),
            *_asking(sql.BY_NAME, sql.BY_NAME.take, name),
            Statement(sql.GRANTED_FOR, (source_key,)),
        )
        account = self._known(assembled(*parts), name)
        return account, lot_of(granted[0]).id if granted else None

    def take_both(self, name: str, other: str) -> tuple[CreditAccount, CreditAccount]:
        _, _, *parts = self._desk.batch(
            self._line(sql.MOVING),
            self._opening(other),
            *_asking(sql.BOTH, sql.BOTH.take, name, other),
        )
        found = assembled(*parts)
        return self._known(found, name), self._known(found, other)

    def take_hold(self, hold_id: CreditHoldId) -> tuple[CreditAccount, CreditHold]:
        *parts, held = self._desk.batch(
            *_asking(sql.BY_HOLD, sql.BY_HOLD.take, hold_id), Statement(sql.HOLD, (hold_id,))
        )
        if not held:
            raise HoldUnknown()
        account = self._desk.loaded(assembled(*parts)[0])
        is_open = (hold for hold in account.holds if hold.id == hold_id)
        return account, next(is_open, hold_of(held[0]))

    def take_granted(
        self, grant_key: str, source_key: str
    ) -> tuple[Sequence[CreditAccount], GrantedCredits, bool]:
        _, *parts, granted, gone, before, already = self._desk.batch(
            self._line(sql.NOBODY_MOVES),
            *_asking(sql.ALL, sql.ALL.take),
            Statement(sql.GRANTED_FOR, (grant_key,)),
            Statement(sql.GONE, (grant_key,)),
            Statement(sql.TAKEN_BACK, (grant_key,)),
            Statement(sql.TAKEN_BACK_FOR, (source_key,)),
        )
        if not granted:
            raise GrantUnknown()
        credits = GrantedCredits(
            root=lot_of(granted[0]),
            spent_micro=(gone[0][1] if gone else 0) - sum(row[4] for row in before),
            asked_micro=sum(row[2] for row in before),
            owed_micro=sum(row[3] for row in before),
        )
        accounts = [self._desk.loaded(account) for account in assembled(*parts)]
        return accounts, credits, bool(already)

    def take_claw_back(self, source_key: str) -> tuple[CreditAccount, ClawBack, Sequence[DebtMove]]:
        asked = (sql.CLAW_BACK, sql.REVERSED, sql.DEBT_MOVES)
        # The line before the account: who looks for the whole grant behind it stands in it then.
        _, *parts, taken, reversed_before, debts = self._desk.batch(
            self._line(sql.NOBODY_MOVES),
            *_asking(sql.BY_CLAW_BACK, sql.BY_CLAW_BACK.take, source_key),
            *(Statement(each, (source_key,)) for each in asked),
        )
        if not taken:
            raise ClawBackUnknown()
        if reversed_before:
            raise ClawBackReversed()
        moves = [DebtMove(EntryKind(row[1]), row[2], row[3]) for row in debts]
        return self._desk.loaded(assembled(*parts)[0]), claw_back_of(taken[0]), moves

    def take_redeemed(self, payment_id: PaymentId) -> tuple[CreditAccount, Redemption]:
        *parts, redeemed = self._desk.batch(
            *_asking(sql.BY_PAYMENT, sql.BY_PAYMENT.take, payment_id),
            Statement(sql.REDEEMED, (payment_id,)),
        )
        left = {CreditLotId(row[1]): row[2] for row in redeemed if row[2]}
        redemption = Redemption(min(row[3] for row in redeemed), left)
        return self._desk.loaded(assembled(*parts)[0]), redemption

    def warned(self, account_id: CreditAccountId) -> frozenset[tuple[str, int]]:
        return frozenset((row[1], row[2]) for row in self._desk.rows(sql.WARNED, account_id))

    def due(self, limit: int) -> Sequence[CreditAccountId]:
        rows = self._desk.rows(sql.DUE, self._desk.now, limit)
        return [CreditAccountId(row[1]) for row in rows]

    def sums(self) -> Sequence[CreditSums]:
        return [sums_of(row) for row in self._desk.rows(sql.SUMS)]

    def page(self, which: CreditFilter, limit: int, cursor: str | None) -> Page[CreditEntry]:
        before = key_of(cursor) or str(CREDITS_MICRO_MAX)
        if not before.isdecimal() or len(before) > len(str(CREDITS_MICRO_MAX)):
            raise CursorInvalid()
        accounts, rows = self._desk.batch(
            Statement(sql.BY_NAME.get, (which.account,)),
            Statement(sql.PAGE, (which.account, int(before), which.kind, limit + 1)),
        )
        if not accounts and which.account != MAIN:
            raise CreditAccountUnknown()
        entries = tuple(entry_of(row) for row in rows[:limit])
        return Page(entries, next_cursor([str(row[3]) for row in rows], limit))

    def keep(self, account: CreditAccount) -> None:
        self._desk.keep(account, lambda: self._write(account))

    def keep_claw_back(self, claw_back: ClawBack) -> None:
        self._desk.insert(INSERT_CLAW_BACK, [claw_back_row(claw_back, self._desk.now)])

    def keep_reversal(self, reversal: Reversal) -> None:
        self._desk.insert(INSERT_REVERSAL, [reversal_row(reversal, self._desk.now)])

    def keep_warning(self, lot_id: CreditLotId, days_before: int) -> None:
        row = {"lot_id": lot_id, "days_before": days_before, "told_at": self._desk.now}
        self._desk.insert(INSERT_WARNING, [row])

    def _known(self, accounts: Sequence[CreditAccount], name: str) -> CreditAccount:
        found = [account for account in accounts if account.name == name]
        if not found:
            raise CreditAccountUnknown()
        return self._desk.loaded(found[0])

    def _opening(self, name: str) -> Statement:
        return Statement(sql.OPEN, (self._desk.new_id(CreditAccountId), name, self._desk.now))

    def _line(self, question: str) -> Statement:
        return Statement(question, (f"{self._desk.tenant_id}/credit_transfers",))

    def _write(self, account: CreditAccount) -> None:
        entries, account.fresh = account.fresh, ()
        opened, account.opened = account.opened, ()
        changed, account.changed = account.changed, ()
        self._write_account(account)
        moved = {share.lot_id for entry in entries for share in entry.shares}
        for lot in account.lots:
            if lot.id in opened:
                self._desk.insert(INSERT_LOT, [lot_row(lot)])
            elif lot.id in moved:
                became = (lot.id, lot.left_micro, lot.held_micro)
                self._change(("credit_lot", lot.id), sql.CHANGE_LOT, became)
        for hold in changed:
            if hold.status is HoldStatus.OPEN:
                self._desk.insert(INSERT_HOLD, [hold_row(hold)])
            else:
                ended = (hold.id, hold.status, hold.captured_micro, hold.ended_at)
                self._change(("credit_hold", hold.id), sql.CHANGE_HOLD, ended)
        for entry in entries:
            row = entry_row(entry, self._desk.actor.sub, self._desk.now)
            self._desk.insert(INSERT_ENTRY, [row])
            self._desk.insert(INSERT_SHARE, share_rows(entry))
            self._desk.insert(INSERT_BOOKED, book_rows(entry, self._desk.now))

    def _write_account(self, account: CreditAccount) -> None:
        became = (
            account.id,
            account.balance_micro,
            account.held_micro,
            account.debt_micro,
            account.last_entry,
            account.free_month,
            account.free_used_micro,
            account.low_below_micro,
            account.is_low,
            account.version,
            account.trail,
            account.state_digest,
        )
        self._change((account.kind, account.id), sql.CHANGE_ACCOUNT, became)

    def _change(self, key: tuple[str, str], change: str, values: tuple[Value, ...]) -> None:
        self._desk.write(key, Write(ranks.AGGREGATE_CHANGES, Statement(change, values)))


def _asking(about: sql.Questions, accounts: str, *parameters: str) -> tuple[Statement, ...]:
    """Ask for accounts, with or without their locks, and for what they hold."""
    asked = (accounts, about.lots, about.holds, about.shares)
    return tuple(Statement(each, parameters) for each in asked)
