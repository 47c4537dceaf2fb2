"""What a use case may do with company accounts, beside `common.ports.transaction`."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from datetime import date

    from common.domain.account_statement import Moved
    from common.domain.ageing import Ageing
    from common.domain.collection_lease import Lease
    from common.domain.company_account import CompanyAccount, ReceivableCreated
    from common.domain.company_taking_back import CardReceipt
    from common.domain.folio import Folio
    from common.domain.folio_line import Line
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
    from common.domain.money import Money
    from common.domain.payment import Payment
    from common.domain.receivable import (
        AccountCredit,
        Allocation,
        OpenNote,
        Receivable,
        WriteOff,
    )
    from common.domain.refund import Refund
    from common.ports.paging import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyAccountFilter:
    """Which accounts a list holds; None asks nothing."""

    property_id: PropertyId | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Debtors:
    """Who settles a folio later: their accounts, which settlements are an item's already, the items
    that the folio has, and its last invoice (None: it has none yet)."""

    accounts: Sequence[CompanyAccount]
    invoiced: frozenset[PaymentId]
    items: Sequence[Receivable]
    billed: InvoiceId | None


class CompanyAccounts(Protocol):
    """Company accounts, what they owe by which invoice, and what came in.

    Another tenant's or property's is unknown here. Whoever changes something takes the account,
    behind its folio where there is one; items are read behind its lock.
    """

    def get(self, account_id: CompanyAccountId) -> CompanyAccount:
        """An account as it is. Refuses: CompanyAccountUnknown."""

    def take(self, account_id: CompanyAccountId) -> CompanyAccount:
        """Lock an account. Refuses: CompanyAccountUnknown."""

    def take_with_items(
        self, account_id: CompanyAccountId, invoice_ids: Sequence[InvoiceId] | None
    ) -> tuple[CompanyAccount, Sequence[Receivable]]:
        """Lock an account and read its items by the invoices named, or all that are open.

        Refuses: CompanyAccountUnknown.
        """

    def take_with_allocation(
        self, account_id: CompanyAccountId, allocation_id: AllocationId
    ) -> tuple[CompanyAccount, Allocation, Receivable, bool]:
        """Lock an account; read an allocation, its item, and whether it has been reversed.

        Refuses: CompanyAccountUnknown, AllocationUnknown.
        """

    def take_with_write_off(
        self, account_id: CompanyAccountId, write_off_id: WriteOffId
    ) -> tuple[CompanyAccount, WriteOff, Receivable, bool]:
        """Lock an account; read a write-off, its item, and whether it has been taken back.

        Refuses: CompanyAccountUnknown, WriteOffUnknown.
        """

    def take_with_note(
        self, account_id: CompanyAccountId, credit_note_id: CreditNoteId
    ) -> tuple[CompanyAccount, Receivable, OpenNote]:
        """Lock an account, and behind it what was credited of an invoice; read the credit note and
        the account's item of that invoice, with what of it was given up or credited.

        Refuses: CompanyAccountUnknown, CreditNoteUnknown (also where the account owes nothing by
        that invoice, or nobody is owed anything by the note).
        """

    def take_folio(
        self, folio_id: FolioId
    ) -> tuple[
        tuple[Folio, Sequence[Line], Sequence[Payment], Sequence[Refund]], Debtors, Lease | None
    ]:
        """Lock a folio and read its lines, payments, refunds and the lease on its debt; behind it
        lock the accounts that it was settled onto, in the order of their ids.

        Refuses: FolioUnknown."""

    def take_to_write_off(
        self, account_id: CompanyAccountId, invoice_id: InvoiceId
    ) -> tuple[CompanyAccount, Sequence[Receivable]]:
        """Lock an account and read its item by an invoice, if it has one, with what of that was
        given up or credited before.

        Refuses: CompanyAccountUnknown.
        """

    def take_of_payment(self, payment: Payment) -> tuple[CompanyAccount, Receivable | None]:
        """Lock the account that a payment settled onto; read the item that it is a part of, with
        what of that was given up or credited; None while it is on no invoice.

        Refuses: CompanyAccountUnknown.
        """

    def take_paid_by(self, processor_payment_id: str) -> CardReceipt | None:
        """Lock the account that a card of the processor's has paid, and read the payment with what
        was taken back of it, what stands allocated, and what is owed; None where it paid none."""

    def page(
        self, which: CompanyAccountFilter, limit: int, cursor: str | None
    ) -> Page[CompanyAccount]:
        """Accounts in the order of their ids."""

    def items(self, account_id: CompanyAccountId) -> Sequence[Receivable]:
        """The open items of an account, what is due first before the others."""

    def ageing(
        self, property_id: PropertyId, as_of: date, account_id: CompanyAccountId | None = None
    ) -> Sequence[Ageing]:
        """What each account of a property, or one of them, owed at the end of a day."""

    def moved(
        self, account_id: CompanyAccountId, first: date, last: date
    ) -> tuple[Money | None, Sequence[Moved]]:
        """What an account owed before a day (None: nothing ever was), and what moved it since."""

    def keep(self, account: CompanyAccount) -> None:
        """Write the account."""

    def keep_item(self, created: ReceivableCreated, on: date) -> None:
        """Write an item, or that it is more; and what it is made of, once."""

    def keep_credit(self, credit: AccountCredit) -> None:
        """Write what came to an account's credit, once."""

    def keep_allocations(
        self, allocations: Sequence[Allocation], items: Sequence[Receivable]
    ) -> None:
        """Write allocations, once, and what they leave open."""

    def keep_write_off(self, write_off: WriteOff, item: Receivable) -> None:
        """Write what was given up or taken back of that, once, and what it leaves open."""
