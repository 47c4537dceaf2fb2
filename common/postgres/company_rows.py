"""Company accounts, their items and credits as rows: each mapping in both directions."""

from datetime import date, datetime
from typing import Any, Final

from common.domain.cash import Confirmed
from common.domain.company_account import AccountStatus, Company, CompanyAccount
from common.domain.identifiers import (
    AllocationId,
    CompanyAccountId,
    CreditNoteId,
    FolioId,
    InvoiceId,
    PropertyId,
    ReceiptId,
    SetOffId,
    WriteOffId,
)
from common.domain.money import Currency, Money
from common.domain.receivable import (
    AccountCredit,
    Allocation,
    CreditKind,
    OpenNote,
    Part,
    Receivable,
    TakenBackId,
    WriteOff,
)
from common.postgres.connection import Row

ACCOUNT_COLUMNS: Final = (
    "id, property_id, name, company, currency, terms_days, credit_limit_micro, status,"
    " not_invoiced_micro, open_micro, unallocated_micro, version, trail, state_digest"
)
CHANGING: Final = (
    "name, company, terms_days, credit_limit_micro, status, not_invoiced_micro, open_micro,"
    " unallocated_micro, version, trail, state_digest"
)
ITEM_COLUMNS: Final = (
    "account_id, invoice_id, folio_id, amount_micro, open_micro, currency, issued_on, due_on"
)
PART_COLUMNS: Final = (
    "payment_id, account_id, invoice_id, amount_micro, currency, business_date, recorded_at"
)
CREDIT_COLUMNS: Final = (
    "id, account_id, kind, amount_micro, currency, reference, processor_payment_id,"
    " cash_session_id, credit_note_id, business_date, takes_back, cause, set_off_before_micro"
)
ALLOCATION_COLUMNS: Final = (
    "id, account_id, invoice_id, amount_micro, currency, credit_id, reverses, reason, business_date"
)
WRITE_OFF_COLUMNS: Final = (
    "id, account_id, invoice_id, amount_micro, currency, reason, confirmed_by, step_up_token_id,"
    " assertion_hash, step_up_method, business_date, reverses"
)


def account_row(account: CompanyAccount) -> dict[str, Any]:
    """An account as it is written."""
    company = account.company
    return {
        "id": account.id,
        "property_id": account.property_id,
        "name": company.name,
        "company": {"addressLines": company.address_lines, "taxId": company.tax_id},
        "currency": account.currency,
        "terms_days": account.terms_days,
        "credit_limit_micro": account.credit_limit.amount_micro,
        "status": account.status,
        "not_invoiced_micro": account.not_invoiced.amount_micro,
        "open_micro": account.open.amount_micro,
        "unallocated_micro": account.unallocated.amount_micro,
        "version": account.version,
        "trail": account.trail,
        "state_digest": account.state_digest,
    }


def account_of(row: Row) -> CompanyAccount:
    """An account as it was read: tenant, then ACCOUNT_COLUMNS."""
    currency, company = Currency(row[5]), row[4]
    return CompanyAccount(
        id=CompanyAccountId(row[1]),
        property_id=PropertyId(row[2]),
        company=Company(
            name=row[3], address_lines=tuple(company["addressLines"]), tax_id=company["taxId"]
        ),
        terms_days=row[6],
        credit_limit=Money(row[7], currency),
        status=AccountStatus(row[8]),
        not_invoiced=Money(row[9], currency),
        open=Money(row[10], currency),
        unallocated=Money(row[11], currency),
        version=row[12],
        trail=bytes(row[13]),
        state_digest=bytes(row[14]),
        is_new=False,
    )


def item_row(item: Receivable, now: datetime) -> dict[str, Any]:
    """An item as it is written."""
    return {
        "account_id": item.account_id,
        "invoice_id": item.invoice_id,
        "folio_id": item.folio_id,
        "amount_micro": item.amount.amount_micro,
        "open_micro": item.open.amount_micro,
        "currency": item.amount.currency,
        "issued_on": item.issued_on,
        "due_on": item.due_on,
        "recorded_at": now,
    }


def item_of(row: Row) -> Receivable:
    """An item as it was read: tenant, ITEM_COLUMNS, then its invoice's number; and, where it was
    asked for, what of it was given up and what was credited."""
    currency = Currency(row[6])
    return Receivable(
        account_id=CompanyAccountId(row[1]),
        invoice_id=InvoiceId(row[2]),
        folio_id=FolioId(row[3]),
        amount=Money(row[4], currency),
        open=Money(row[5], currency),
        issued_on=row[7],
        due_on=row[8],
        number=row[9],
        written_off_micro=sum(row[10:11]),
        credited_micro=sum(row[11:]),
    )


def part_row(part: Part, item: Receivable, on: date, now: datetime) -> dict[str, Any]:
    """A settlement that an item is made of as it is written, once."""
    return {
        "payment_id": part.payment_id,
        "account_id": item.account_id,
        "invoice_id": item.invoice_id,
        "amount_micro": part.amount.amount_micro,
        "currency": part.amount.currency,
        "business_date": on,
        "recorded_at": now,
    }


def credit_row(credit: AccountCredit, now: datetime) -> dict[str, Any]:
    """What came to an account's credit as it is written, once."""
    return {
        "id": credit.id,
        "account_id": credit.account_id,
        "kind": credit.kind,
        "amount_micro": credit.amount.amount_micro,
        "currency": credit.amount.currency,
        "reference": credit.reference,
        "processor_payment_id": credit.processor_payment_id,
        "cash_session_id": credit.cash_session_id,
        "credit_note_id": credit.credit_note_id,
        "business_date": credit.business_date,
        "takes_back": credit.takes_back,
        "cause": credit.cause,
        "set_off_before_micro": credit.set_off_before.amount_micro if credit.set_off_before else 0,
        "occurred_at": now,
        "recorded_at": now,
    }


def credit_of(row: Row) -> AccountCredit:
    """A card payment, or what was moved of one, as it was read: tenant, then CREDIT_COLUMNS."""
    kind = CreditKind(row[3])
    return AccountCredit(
        id=ReceiptId(row[1]) if kind is CreditKind.CARD else TakenBackId(row[1]),
        account_id=CompanyAccountId(row[2]),
        kind=kind,
        amount=Money(row[4], Currency(row[5])),
        reference=row[6],
        processor_payment_id=row[7],
        business_date=row[10],
        takes_back=row[11] and ReceiptId(row[11]),
        cause=row[12],
    )


def allocation_row(allocation: Allocation, now: datetime) -> dict[str, Any]:
    """An allocation as it is written, once."""
    return {
        "id": allocation.id,
        "account_id": allocation.account_id,
        "invoice_id": allocation.invoice_id,
        "amount_micro": allocation.amount.amount_micro,
        "currency": allocation.amount.currency,
        "credit_id": allocation.credit_id,
        "reverses": allocation.reverses,
        "reason": allocation.reason,
        "business_date": allocation.business_date,
        "occurred_at": now,
        "recorded_at": now,
    }


def allocation_of(row: Row) -> Allocation:
    """An allocation as it was read: tenant, then ALLOCATION_COLUMNS."""
    return Allocation(
        id=AllocationId(row[1]),
        account_id=CompanyAccountId(row[2]),
        invoice_id=InvoiceId(row[3]),
        amount=Money(row[4], Currency(row[5])),
        credit_id=row[6] and _credit_of(row[6]),
        reverses=row[7] and AllocationId(row[7]),
        reason=row[8],
        business_date=row[9],
    )


def note_of(row: Row) -> OpenNote:
    """A credit note as it was read: tenant, itself, its invoice, number, total, what is set off."""
    return OpenNote(
        id=CreditNoteId(row[1]),
        invoice_id=InvoiceId(row[2]),
        number=row[3],
        total=Money(row[4], Currency(row[5])),
        set_off=Money(row[6], Currency(row[5])),
    )


def _credit_of(text: str) -> ReceiptId | SetOffId:
    """What brought the credit of an allocation: its prefix says whether money or a note."""
    return SetOffId(text) if text.startswith(SetOffId.prefix) else ReceiptId(text)


def write_off_row(write_off: WriteOff, now: datetime) -> dict[str, Any]:
    """A write-off as it is written, once."""
    confirmed = write_off.confirmed
    return {
        "id": write_off.id,
        "account_id": write_off.account_id,
        "invoice_id": write_off.invoice_id,
        "amount_micro": write_off.amount.amount_micro,
        "currency": write_off.amount.currency,
        "reason": write_off.reason,
        "confirmed_by": confirmed.by,
        "step_up_token_id": confirmed.token_id,
        "assertion_hash": confirmed.assertion_hash,
        "step_up_method": confirmed.method,
        "business_date": write_off.business_date,
        "reverses": write_off.reverses,
        "occurred_at": now,
        "recorded_at": now,
    }


def write_off_of(row: Row) -> WriteOff:
    """A write-off as it was read: tenant, WRITE_OFF_COLUMNS, then when it was confirmed."""
    return WriteOff(
        id=WriteOffId(row[1]),
        account_id=CompanyAccountId(row[2]),
        invoice_id=InvoiceId(row[3]),
        amount=Money(row[4], Currency(row[5])),
        reason=row[6],
        confirmed=Confirmed(
            by=row[7], at=row[13], token_id=row[8], assertion_hash=row[9], method=row[10]
        ),
        business_date=row[11],
        reverses=row[12] and WriteOffId(row[12]),
    )
