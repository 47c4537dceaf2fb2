"""The platform's credit notes, and how money of its invoices that goes back is booked (WH-5).

What a tenant has paid for an invoice may be given back, in part or in whole, at the processor
itself or by somebody of the platform. An invoice never changes: what is given back of it stands on
a credit note with a number of a series of its own, which names the invoice and its hash, and the
note before it. It takes back the same share of the tax, reckoned over all that was given back of
the invoice, so that parts come to the whole to the cent.

What was given back was earned first: it is booked on an account beside the revenue, so that what
was invoiced stays explained by its lines, and what is left of it is the difference of two figures.

What a bank asks back is withheld by the processor, and no document: the tenant owes as before. It
comes back when the dispute is won, and is a loss when it is not.
"""

import json
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.canonical import canonical, digest
from common.domain.dataclass import dataclass
from common.domain.dispute import Dispute, DisputeStatus
from common.domain.identifiers import (
    SubscriptionId,
    SubscriptionInvoiceId,
)
from common.domain.money import AmountNotPositive, Money
from common.domain.platform_identifiers import PlatformCreditNoteId
from common.domain.platform_tax import BillTax
from common.domain.refund import RefundExceedsPayment
from common.domain.subscription_invoice import PlatformSeries, SubscriptionInvoice

NUMBER_PREFIX: Final = "MELC"
PROCESSOR: Final = "processor_clearing"
REFUNDS: Final = "subscription_refunds"
DISPUTED: Final = "disputed_funds"
LOSSES: Final = "dispute_losses"
FEES: Final = "dispute_fees"
NET, TAX = 0, 1
WITHHELD, DECIDED, FEE = 0, 1, 2
"""The parts of a refund's entries, and of a dispute's; each change of its fee has one more."""


@dataclass(frozen=True, kw_only=True)
class PlatformCreditNoteIssued(Fact):
    """Money of an invoice of the platform went back, and a credit note says so."""

    name = "platform_credit_note.issued"
    subject: "PlatformCreditNote" = field(repr=False, compare=False)


@dataclass(kw_only=True)
class PlatformCreditNote(Aggregate):
    """A credit note; `payload` is its text in canonical JSON (RFC 8785).

    `processor_refund_id` is the processor's own, or ours of a refund that we have asked for.
    """

    kind: ClassVar[str] = "platform_credit_note"
    id: PlatformCreditNoteId
    subscription_id: SubscriptionId
    invoice_id: SubscriptionInvoiceId
    processor_refund_id: str
    year: int
    series_number: int
    number: str
    net: Money
    tax: Money
    taxed: BillTax
    issued_at: datetime
    payload: str
    payload_sha256: bytes
    previous_sha256: bytes | None

    @property
    def total(self) -> Money:
        return self.net + self.tax

    def state(self) -> dict[str, object]:
        return {"number": self.number, "payloadSha256": self.payload_sha256.hex()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalEntry:
    """So much from the credited account to the debited one, as a part of what `source` names."""

    source: str
    part: int
    debit: str
    credit: str
    amount: Money


def must_be_refundable(
    invoice: SubscriptionInvoice,
    amount: Money,
    spoken_for: Money | None = None,
    of_period: Money | None = None,
) -> None:
    """Whether so much may still go back of what was paid for an invoice, beside what is spoken for,
    and of what is left `of_period`: a change may have credited a part of it.

    Refuses: AmountNotPositive, CurrenciesDiffer, RefundExceedsPayment.
    """
    if amount.amount_micro <= 0:
        raise AmountNotPositive()
    left = invoice.refundable - spoken_for if spoken_for else invoice.refundable
    left = left if of_period is None else min(left, of_period)
    if amount > left:
        raise RefundExceedsPayment(leftMicro=max(left.amount_micro, 0))


def give_back(
    invoice: SubscriptionInvoice,
    amount: Money,
    processor_refund_id: str,
    reason: str,
    *,
    id: PlatformCreditNoteId,
    series: PlatformSeries,
    at: datetime,
) -> PlatformCreditNoteIssued:
    """Write the credit note of so much money of an invoice, and count it there.

    Refuses: AmountNotPositive, CurrenciesDiffer, RefundExceedsPayment.
    """
    must_be_refundable(invoice, amount)
    tax = _tax_on(invoice, invoice.refunded + amount) - _tax_on(invoice, invoice.refunded)
    invoice.refunded += amount
    previous, number = series.last_sha256, series.next_number(NUMBER_PREFIX)
    document = {
        **_parties(invoice),
        "type": "platform_credit_note",
        "number": number,
        "issuedAt": at.isoformat(),
        "invoice": {"number": invoice.number, "payloadSha256": invoice.payload_sha256.hex()},
        "subscription": invoice.subscription_id,
        "reason": reason,
        "currency": amount.currency,
        "netMicro": (amount - tax).amount_micro,
        "tax": _tax_document(invoice.bill.taxed, amount - tax, tax),
        "totalMicro": amount.amount_micro,
        "previousSha256": previous.hex() if previous else None,
    }
    series.last_sha256 = digest(document)
    note = PlatformCreditNote(
        id=id,
        subscription_id=invoice.subscription_id,
        invoice_id=invoice.id,
        processor_refund_id=processor_refund_id,
        year=series.year,
        series_number=series.last_number,
        number=number,
        net=amount - tax,
        tax=tax,
        taxed=invoice.bill.taxed,
        issued_at=at,
        payload=canonical(document).decode(),
        payload_sha256=series.last_sha256,
        previous_sha256=previous,
    )
    return PlatformCreditNoteIssued(subject=note, sequence=note.next_sequence(), reason=reason)


def refund_source(processor_refund_id: str) -> str:
    """What a refund is booked under, and takes credits back for."""
    return f"refund:{processor_refund_id}"


def dispute_source(processor_dispute_id: str) -> str:
    """What a dispute is booked under, and takes credits back for."""
    return f"dispute:{processor_dispute_id}"


def entries_of(note: PlatformCreditNote) -> tuple[ReversalEntry, ...]:
    """How a credit note is booked: out of what the processor holds, with its tax."""
    source = refund_source(note.processor_refund_id)
    payable = f"vat_payable:{note.taxed.country}"
    booked = (
        _entry(source, NET, REFUNDS, PROCESSOR, note.net),
        _entry(source, TAX, payable, PROCESSOR, note.tax),
    )
    return tuple(each for each in booked if not each.amount.is_zero)


def follow(
    invoice: SubscriptionInvoice,
    dispute: Dispute,
    booked: Mapping[int, ReversalEntry],
    lay_here: Money,
    *,
    is_over: bool,
) -> tuple[ReversalEntry, ...]:
    """Book what a dispute of an invoice's payment has come to and was not booked before, and count
    it there. It may be about more than was paid: banks add their fees. What of it `lay_here`, as a
    refund of it had come back, goes out of that by a claim that is lost now, and is no loss; one
    that had only such money, and `is_over`, has booked no loss."""
    source, amount = dispute_source(dispute.processor_dispute_id), dispute.amount
    entries: list[ReversalEntry] = []
    if dispute.takes_money and WITHHELD not in booked:
        entries.append(_entry(source, WITHHELD, DISPUTED, PROCESSOR, amount))
        invoice.withheld += amount
    if DECIDED not in booked and dispute.status is DisputeStatus.WON:
        entries.append(_entry(source, DECIDED, PROCESSOR, DISPUTED, amount))
        invoice.withheld -= amount
    if DECIDED not in booked and dispute.status is DisputeStatus.LOST and not is_over:
        invoice.withheld -= amount
        invoice.lost += (lost := amount - lay_here)
        if not lost.is_zero:
            entries.append(_entry(source, DECIDED, LOSSES, DISPUTED, lost))
    return (*entries, *_fee(source, dispute, booked))


def follow_second(
    dispute: Dispute, booked: Mapping[int, ReversalEntry]
) -> tuple[ReversalEntry, ...]:
    """Book what a dispute of money that came second has come to and was not booked before. It was
    no invoice's: what of it had not gone back when the claim is lost (`on_account`) goes out of
    where it lay (`subscription_refund`), and only what had is lost."""
    source, amount = dispute_source(dispute.processor_dispute_id), dispute.amount
    entries: list[ReversalEntry] = []
    if dispute.takes_money and WITHHELD not in booked:
        entries.append(_entry(source, WITHHELD, DISPUTED, PROCESSOR, amount))
    if DECIDED not in booked and dispute.status is DisputeStatus.WON:
        entries.append(_entry(source, DECIDED, PROCESSOR, DISPUTED, amount))
    if DECIDED not in booked and dispute.status is DisputeStatus.LOST:
        twice = amount - dispute.on_account if dispute.on_account else amount
        if not twice.is_zero:
            entries.append(_entry(source, DECIDED, LOSSES, DISPUTED, twice))
    return (*entries, *_fee(source, dispute, booked))


def _fee(
    source: str, dispute: Dispute, booked: Mapping[int, ReversalEntry]
) -> tuple[ReversalEntry, ...]:
    """What the processor charges for a dispute beyond what was booked of that, or less."""
    fees = {part: each for part, each in booked.items() if part >= FEE}
    if dispute.fee is None:
        return ()
    more = dispute.fee
    for each in fees.values():
        more = more - each.amount if each.debit == FEES else more + each.amount
    if more.is_zero:
        return ()
    part = max(fees, default=FEE - 1) + 1
    if more.amount_micro > 0:
        return (_entry(source, part, FEES, PROCESSOR, more),)
    return (_entry(source, part, PROCESSOR, FEES, -more),)


def _entry(source: str, part: int, debit: str, credit: str, amount: Money) -> ReversalEntry:
    return ReversalEntry(source=source, part=part, debit=debit, credit=credit, amount=amount)


def _tax_on(invoice: SubscriptionInvoice, back: Money) -> Money:
    """The tax in so much of an invoice's total, rounded once."""
    bill = invoice.bill
    return bill.tax.times(back.amount_micro, bill.total.amount_micro)


def _parties(invoice: SubscriptionInvoice) -> dict[str, Any]:
    """Whoever the invoice names: it is their document that is corrected."""
    written = json.loads(invoice.payload)
    return {"issuer": written["issuer"], "customer": written["customer"]}


def _tax_document(taxed: BillTax, net: Money, tax: Money) -> dict[str, object]:
    return {
        "treatment": taxed.treatment.value,
        "country": taxed.country,
        "ratePpm": taxed.rate_ppm,
        "customerVatId": taxed.vat_id,
        "baseMicro": net.amount_micro,
        "taxMicro": tax.amount_micro,
        "note": taxed.note,
    }
