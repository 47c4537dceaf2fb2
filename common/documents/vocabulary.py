"""Which words a document needs, whatever its language.

A language is complete or does not exist, because each is one call of a constructor without
defaults: the type checker finds a word left out.
"""

from collections.abc import Mapping
from typing import Literal

from common.domain.dataclass import dataclass

Direction = Literal["ltr", "rtl"]


class LanguageUnknown(Exception):
    """No words stand here in the language that was asked for."""


@dataclass(frozen=True)
class VerificationWords:
    """The page that a guest reaches by the QR code."""

    title: str
    genuine: str
    genuine_detail: str
    pending: str
    pending_detail: str
    corrected: str
    corrected_detail: str
    changed: str
    changed_detail: str
    unknown: str
    unknown_detail: str
    signature: str
    status: str
    signatures: Mapping[str, str]
    statuses: Mapping[str, str]


@dataclass(frozen=True)
class Words:
    """The words of one language; `{}` marks where a value stands in a sentence."""

    direction: Direction
    invoice: str
    credit_note: str
    corrects_invoice: str
    invoice_issued: str
    total_credited: str
    verify_credit_note: str
    copy_mark: str
    tax_id: str
    bill_to: str
    personal_data_erased: str
    number: str
    issue_date: str
    issued_at: str
    stay: str
    folio: str
    reservation: str
    currency: str
    date: str
    description: str
    quantity: str
    unit_price: str
    net: str
    tax: str
    gross: str
    taxes: str
    tax_rate: str
    taxable: str
    tax_amount: str
    total_net: str
    total_tax: str
    rounding: str
    total: str
    paid: str
    balance_due: str
    payments: str
    method: str
    tendered: str
    amount: str
    no_payments: str
    exchange_rates: str
    exchange_difference: str
    tax_in_currency: str
    verify: str
    verify_detail: str
    fingerprint: str
    page: str
    page_of: str
    issuer: str
    methods: Mapping[str, str]
    verification: VerificationWords


@dataclass(frozen=True)
class StatementWords:
    """What a folio's statement says beside them; `{}` marks where a value stands."""

    title: str
    not_an_invoice: str
    guest: str
    as_of: str
    charges_and_payments: str
    nothing_posted: str
    refunded: str
    moved: str
    balance: str
    pending: str
    lines: Mapping[str, str]


@dataclass(frozen=True)
class AccountStatementWords:
    """What a company account's statement says beside them."""

    title: str
    not_an_invoice: str
    company: str
    account: str
    period: str
    opening: str
    movements: str
    nothing_moved: str
    closing: str
    balance: str
    open_invoices: str
    nothing_open: str
    due_on: str
    days_overdue: str
    open: str
    entries: Mapping[str, str]
    buckets: Mapping[str, str]


@dataclass(frozen=True)
class AgedReceivablesWords:
    """What the report of aged receivables says beside those."""

    title: str
    not_an_invoice: str
    house: str
    as_of: str
    not_invoiced: str
    to_their_credit: str
    total: str
    nothing_owed: str
