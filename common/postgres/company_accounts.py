"""Company accounts, what they owe by which invoice, and what came in.

Whoever changes something takes the account first; its items are read behind its lock, as statements
of their own, and so as whoever held it before has left them.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final

from common.domain.account_statement import EntryKind, Moved
from common.domain.ageing import AgedItem, Ageing, aged
from common.domain.collection_lease import Lease
from common.domain.company_account import (
    CompanyAccount,
    CompanyAccountUnknown,
    ReceivableCreated,
)
from common.domain.company_taking_back import CardReceipt
from common.domain.credit_note import CreditNoteUnknown
from common.domain.identifiers import (
    AllocationId,
    CompanyAccountId,
    CreditNoteId,
    FolioId,
    InvoiceId,
    PaymentId,
    PropertyId,
    WriteOffId,
)
from common.domain.money import Currency, Money
from common.domain.payment import Payment
from common.domain.receivable import (
    AccountCredit,
    Allocation,
    AllocationUnknown,
    OpenNote,
    Receivable,
    WriteOff,
    WriteOffUnknown,
)
from common.ports.company_accounts import CompanyAccountFilter, Debtors
from common.ports.paging import Page
from common.postgres import company_sql as sql
from common.postgres import ranks
from common.postgres.collection_leases import OF_FOLIO, lease_of
from common.postgres.company_rows import (
    ACCOUNT_COLUMNS,
    ALLOCATION_COLUMNS,
    CHANGING,
    CREDIT_COLUMNS,
    ITEM_COLUMNS,
    PART_COLUMNS,
    WRITE_OFF_COLUMNS,
    account_of,
    account_row,
    allocation_of,
    allocation_row,
    credit_of,
    credit_row,
    item_of,
    item_row,
    note_of,
    part_row,
    write_off_of,
    write_off_row,
)
from common.postgres.connection import Row, Statement
from common.postgres.folios import LIST_CARD_PAYMENT, Folios, Whole
from common.postgres.paging import key_of, next_cursor
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk, held_properties

INSERT_ACCOUNT = Insert.into(ranks.PLACES, "company_accounts", f"{ACCOUNT_COLUMNS}, opened_at")
INSERT_ITEM = Insert.into(ranks.DOCUMENT_PARTS, "receivables", f"{ITEM_COLUMNS}, recorded_at")
INSERT_PART = Insert.into(ranks.LEDGER, "receivable_parts", PART_COLUMNS)
_WHEN: Final = "occurred_at, recorded_at"
INSERT_CREDIT = Insert.into(ranks.DOCUMENTS, "account_credits", f"{CREDIT_COLUMNS}, {_WHEN}")
INSERT_ALLOCATION = Insert.into(
    ranks.DOCUMENT_PARTS, "receivable_allocations", f"{ALLOCATION_COLUMNS}, {_WHEN}"
)
INSERT_WRITE_OFF = Insert.into(ranks.DOCUMENTS, "write_offs", f"{WRITE_OFF_COLUMNS}, {_WHEN}")
_KINDS: Final = {
    "pay_": EntryKind.SETTLEMENT,
    "rfd_": EntryKind.REFUND,
    "rcp_": EntryKind.PAYMENT,
    "tkb_": EntryKind.PAYMENT,
    "wof_": EntryKind.WRITE_OFF,
    "sof_": EntryKind.CREDIT_NOTE,
}


class CompanyAccounts:
    """The company accounts of a tenant, as far as the actor's properties reach."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, account_id: CompanyAccountId) -> CompanyAccount:
        return self._known(self._desk.rows(sql.GET, account_id))

    def take(self, account_id: CompanyAccountId) -> CompanyAccount:
        return self._known(self._desk.rows(sql.TAKE, account_id))

    def take_with_items(
        self, account_id: CompanyAccountId, invoice_ids: Sequence[InvoiceId] | None
    ) -> tuple[CompanyAccount, Sequence[Receivable]]:
        items = Statement(sql.OPEN_ITEMS, (account_id,))
        if invoice_ids is not None:
            items = Statement(sql.ITEMS_NAMED, (account_id, "{" + ",".join(invoice_ids) + "}"))
        accounts, found = self._desk.batch(Statement(sql.TAKE, (account_id,)), items)
        return self._known(accounts), [item_of(row) for row in found]

    def take_with_allocation(
        self, account_id: CompanyAccountId, allocation_id: AllocationId
    ) -> tuple[CompanyAccount, Allocation, Receivable, bool]:
        accounts, allocations, items, reversals = self._desk.batch(
            Statement(sql.TAKE, (account_id,)),
            Statement(sql.ALLOCATION, (account_id, allocation_id)),
            Statement(sql.ITEM_ALLOCATED, (account_id, allocation_id)),
            Statement(sql.REVERSED, (allocation_id,)),
        )
        account = self._known(accounts)
        if not allocations:
            raise AllocationUnknown()
        return account, allocation_of(allocations[0]), item_of(items[0]), bool(reversals)

    def take_with_write_off(
        self, account_id: CompanyAccountId, write_off_id: WriteOffId
    ) -> tuple[CompanyAccount, WriteOff, Receivable, bool]:
        accounts, write_offs, items, taken_back = self._desk.batch(
            Statement(sql.TAKE, (account_id,)),
            Statement(sql.WRITE_OFF, (account_id, write_off_id)),
            Statement(sql.ITEM_WRITTEN_OFF, (account_id, write_off_id)),
            Statement(sql.WRITE_OFF_TAKEN_BACK, (write_off_id,)),
        )
        account = self._known(accounts)
        if not write_offs:
            raise WriteOffUnknown()
        return account, write_off_of(write_offs[0]), item_of(items[0]), bool(taken_back)

    def take_with_note(
        self, account_id: CompanyAccountId, credit_note_id: CreditNoteId
    ) -> tuple[CompanyAccount, Receivable, OpenNote]:
        accounts, _, notes, items = self._desk.batch(
            Statement(sql.TAKE, (account_id,)),
            Statement(sql.TAKE_CREDITED, (credit_note_id,)),
            Statement(sql.NOTE, (credit_note_id,)),
            Statement(sql.ITEM_CREDITED, (account_id, credit_note_id)),
        )
        account = self._known(accounts)
        if not (notes and items):
            raise CreditNoteUnknown()
        return account, item_of(items[0]), note_of(notes[0])

    def take_folio(self, folio_id: FolioId) -> tuple[Whole, Debtors, Lease | None]:
        whole, (accounts, invoiced, items, billed, lease) = Folios(self._desk).take_whole_with(
            folio_id,
            Statement(sql.TAKE_OF_FOLIO, (folio_id,)),
            Statement(sql.INVOICED, (folio_id,)),
            Statement(sql.ITEMS_OF_FOLIO, (folio_id,)),
            Statement(sql.LAST_INVOICE, (folio_id,)),
            Statement(OF_FOLIO, (folio_id,)),
        )
        debtors = Debtors(
            accounts=[self._known([row]) for row in accounts],
            invoiced=frozenset(PaymentId(row[1]) for row in invoiced),
            items=[item_of(row) for row in items],
            billed=InvoiceId(billed[0][1]) if billed else None,
        )
        return whole, debtors, lease_of(lease)

    def take_to_write_off(
        self, account_id: CompanyAccountId, invoice_id: InvoiceId
    ) -> tuple[CompanyAccount, Sequence[Receivable]]:
        accounts, items = self._desk.batch(
            Statement(sql.TAKE, (account_id,)),
            Statement(sql.ITEM_TO_WRITE_OFF, (account_id, invoice_id)),
        )
        return self._known(accounts), [item_of(row) for row in items]

    def take_of_payment(self, payment: Payment) -> tuple[CompanyAccount, Receivable | None]:
        accounts, items = self._desk.batch(
            Statement(sql.TAKE, (payment.company_account_id,)),
            Statement(sql.ITEM_SETTLED, (payment.company_account_id, payment.id)),
        )
        return self._known(accounts), item_of(items[0]) if items else None

    def take_paid_by(self, processor_payment_id: str) -> CardReceipt | None:
        paid_by = (processor_payment_id,)
        accounts, credits, allocations, items = self._desk.batch(
            Statement(sql.TAKE_PAID_BY, paid_by),
            Statement(sql.PAID_BY, paid_by),
            Statement(sql.STANDING_ALLOCATIONS, paid_by),
            Statement(sql.ITEMS_OF_ACCOUNT, paid_by),
        )
        if not accounts:
            return None
        receipt, *moved = (credit_of(row) for row in credits)
        return CardReceipt(
            account=self._known(accounts),
            receipt=receipt,
            moved=tuple(moved),
            allocations=tuple(allocation_of(row) for row in allocations),
            items=tuple(item_of(row) for row in items),
        )

    def page(
        self, which: CompanyAccountFilter, limit: int, cursor: str | None
    ) -> Page[CompanyAccount]:
        held = held_properties(self._desk, which.property_id)
        rows = self._desk.rows(sql.PAGE, key_of(cursor), held, which.status, limit + 1)
        accounts = tuple(account_of(row) for row in rows[:limit])
        return Page(accounts, next_cursor([row[1] for row in rows], limit))

    def items(self, account_id: CompanyAccountId) -> Sequence[Receivable]:
        return [item_of(row) for row in self._desk.rows(sql.OPEN_ITEMS, account_id)]

    def ageing(
        self, property_id: PropertyId, as_of: date, account_id: CompanyAccountId | None = None
    ) -> Sequence[Ageing]:
        rows = self._desk.rows(sql.AGEING, property_id, as_of, account_id)
        return [_ageing(as_of, list(found)) for _, found in groupby(rows, lambda row: row[1])]

    def moved(
        self, account_id: CompanyAccountId, first: date, last: date
    ) -> tuple[Money | None, Sequence[Moved]]:
        rows = self._desk.rows(sql.MOVED, account_id, first, last)
        before = [Money(row[5], Currency(row[4])) for row in rows if row[1] is None]
        return before[0] if before else None, [_moved(row) for row in rows if row[1]]

    def keep(self, account: CompanyAccount) -> None:
        self._desk.keep(account, lambda: self._write(account))

    def keep_item(self, created: ReceivableCreated, on: date) -> None:
        item, now = created.receivable, self._desk.now
        if created.more:
            values = (
                item.account_id,
                item.invoice_id,
                item.amount.amount_micro,
                item.open.amount_micro,
            )
            more = Write(ranks.AGGREGATE_CHANGES, Statement(sql.RAISE, values))
            self._desk.write(("receivable", item.account_id, item.invoice_id), more)
        else:
            self._desk.insert(INSERT_ITEM, [item_row(item, now)])
        self._desk.insert(INSERT_PART, [part_row(part, item, on, now) for part in created.parts])

    def keep_credit(self, credit: AccountCredit) -> None:
        self._desk.insert(INSERT_CREDIT, [credit_row(credit, self._desk.now)])
        if credit.processor_payment_id is not None:
            named = {"processor_payment_id": credit.processor_payment_id}
            self._desk.insert(LIST_CARD_PAYMENT, [{**named, "recorded_at": self._desk.now}])

    def keep_allocations(
        self, allocations: Sequence[Allocation], items: Sequence[Receivable]
    ) -> None:
        rows = [allocation_row(each, self._desk.now) for each in allocations]
        self._desk.insert(INSERT_ALLOCATION, rows)
        self._settle(items)

    def keep_write_off(self, write_off: WriteOff, item: Receivable) -> None:
        self._desk.insert(INSERT_WRITE_OFF, [write_off_row(write_off, self._desk.now)])
        self._settle([item])

    def _settle(self, items: Iterable[Receivable]) -> None:
        for item in items:
            values = (item.account_id, item.invoice_id, item.open.amount_micro)
            left = Write(ranks.AGGREGATE_CHANGES, Statement(sql.SETTLE, values))
            self._desk.write(("receivable", item.account_id, item.invoice_id), left)

    def _known(self, rows: Sequence[Row]) -> CompanyAccount:
        """The account that was read. One of another property is as unknown as none."""
        if not rows:
            raise CompanyAccountUnknown()
        account = account_of(rows[0])
        if not self._desk.actor.holds(account.property_id):
            raise CompanyAccountUnknown()
        return self._desk.loaded(account)

    def _write(self, account: CompanyAccount) -> None:
        row = account_row(account)
        if account.is_new:
            account.is_new = False
            self._desk.insert(INSERT_ACCOUNT, [{**row, "opened_at": self._desk.now}])
            return
        row["company"] = json.dumps(row["company"])
        values: tuple[Any, ...] = tuple(row[name] for name in ("id", *CHANGING.split(", ")))
        change = Write(ranks.AGGREGATE_CHANGES, Statement(sql.CHANGE, values))
        self._desk.write((account.kind, account.id), change)


def _ageing(as_of: date, rows: Sequence[Row]) -> Ageing:
    """An account's rows: each repeats the account, and has an item where there is one."""
    _, account_id, name, code, balance, unallocated, *_ = rows[0]
    currency = Currency(code)
    items = (
        AgedItem(
            account_id=CompanyAccountId(account_id),
            invoice_id=InvoiceId(row[6]),
            number=row[7],
            issued_on=row[8],
            due_on=row[9],
            open=Money(row[10], currency),
        )
        for row in rows
        if row[6] is not None
    )
    return aged(
        CompanyAccountId(account_id),
        name,
        as_of,
        items,
        Money(balance, currency),
        Money(unallocated, currency),
    )


def _moved(row: Row) -> Moved:
    return Moved(
        source=row[1],
        kind=_KINDS[row[1][:4]],
        business_date=row[2],
        amount=Money(row[5], Currency(row[4])),
        folio_id=row[6] and FolioId(row[6]),
        number=row[7],
        reference=row[8],
    )
