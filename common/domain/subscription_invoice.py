"""The platform's invoices: what a tenant owes for a period of its subscription, or for a change.

Numbers come from one gap-free series a year, the platform's own over all tenants; each invoice
names the hash of the one before it. An invoice never changes. What its lines come to below zero is
not paid out: it stands to the subscription's credit and is taken off the invoices that follow, so
that no money goes missing. A tax is a part of what is owed, given back and set off: a bill is taxed
as a whole, and what it leaves below zero is a credit with its tax (`common.domain.platform_tax`).
Where an invoice is open, a credit is set off against that first, and its document says so.
Whether an invoice is settled is no part of it: `open` is what still
waits for the processor, charged under ids that are reckoned from the invoice's (SUB-6), `paid` what
was taken or where nothing is left to pay, `uncollectible` what nobody will pay any more.
"""

from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final
from uuid import UUID

from common.domain.aggregate import Aggregate, Fact
from common.domain.canonical import canonical, digest
from common.domain.dataclass import dataclass
from common.domain.identifiers import SubscriptionId, SubscriptionInvoiceId
from common.domain.money import Currency, Money
from common.domain.period import Period
from common.domain.platform_tax import UNTAXED, BillTax
from common.domain.processor_payment import PaymentStatus
from common.domain.refusal import Missing

NUMBER_PREFIX: Final = "MEL"
PLATFORM: Final = "Melmastoon"
PLATFORM_ID: Final = UUID(int=0)
"""Where keys are kept by the ids of tenants: the platform's are no tenant's (RFC 9562, nil)."""


class SubscriptionInvoiceUnknown(Missing):
    code = "SUBSCRIPTION_INVOICE_UNKNOWN"
    title = "There is no such invoice of the platform"


class LineKind(StrEnum):
    """What a line is about."""

    PLAN_FEE = "plan_fee"
    UNUSED = "unused"
    REST = "rest_of_period"
    USAGE = "usage"
    LATE_USAGE = "late_usage"
    GIVEN_BACK = "given_back"


class Purpose(StrEnum):
    """Why an invoice was written: a period that began, a change within one, what was used until a
    subscription ended, or what of that was told after its end; or a credit that is taken back, as
    the money of the period that it was of has gone back."""

    PERIOD = "period"
    CHANGE = "change"
    USAGE = "usage"
    LATE_USAGE = "late_usage"
    TAKEN_BACK = "taken_back"


USED: Final = frozenset({LineKind.USAGE, LineKind.LATE_USAGE})
OF_A_PERIOD: Final = frozenset({Purpose.PERIOD, Purpose.CHANGE})
"""What bills the fees of a period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """An amount, what it is for and for which time; negative is the customer's.

    A line of usage names the meter, what it has counted in which of the periods, and comes to what
    was not billed of that before.
    """

    kind: LineKind
    plan: str
    plan_version: int
    seats: int
    period: Period
    amount: Money
    meter: str | None = None
    quantity: int | None = None
    usage_period: int | None = None

    @classmethod
    def of(cls, document: dict[str, Any], currency: Currency) -> "InvoiceLine":
        """The line that a document tells of."""
        start, end = (datetime.fromisoformat(document[name]) for name in ("from", "until"))
        return cls(
            kind=LineKind(document["kind"]),
            plan=document["plan"],
            plan_version=document["planVersion"],
            seats=document["seats"],
            period=Period(start, end),
            amount=Money(document["amountMicro"], currency),
            meter=document.get("meter"),
            quantity=document.get("quantity"),
            usage_period=document.get("usagePeriod"),
        )

    def document(self) -> dict[str, object]:
        usage = {
            "meter": self.meter,
            "quantity": self.quantity,
            "usagePeriod": self.usage_period,
        }
        return {
            "kind": self.kind.value,
            "plan": self.plan,
            "planVersion": self.plan_version,
            "seats": self.seats,
            "from": self.period.start.isoformat(),
            "until": self.period.end.isoformat(),
            "amountMicro": self.amount.amount_micro,
            **(usage if self.meter else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOff:
    """So much of the customer's credit pays what is open of an earlier invoice."""

    invoice_id: SubscriptionInvoiceId
    number: str
    payload_sha256: str
    amount: Money

    @classmethod
    def of(cls, document: dict[str, Any], currency: Currency) -> "SetOff":
        """What a document tells of."""
        invoice = document["invoice"]
        return cls(
            invoice_id=SubscriptionInvoiceId(invoice["id"]),
            number=invoice["number"],
            payload_sha256=invoice["payloadSha256"],
            amount=Money(document["amountMicro"], currency),
        )

    def document(self) -> dict[str, object]:
        named = {
            "id": self.invoice_id,
            "number": self.number,
            "payloadSha256": self.payload_sha256,
        }
        return {"invoice": named, "amountMicro": self.amount.amount_micro}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What is to be invoiced. `net` is what the lines come to, `total` that with its `tax`; of the
    subscription's credit `brought` is used, and `carried` is added to it; `due` is left to pay. Of
    the credit that there is then, `set_off` pays earlier invoices."""

    purpose: Purpose
    period_number: int
    period: Period
    lines: tuple[InvoiceLine, ...]
    brought: Money
    carried: Money
    taxed: BillTax = UNTAXED
    set_off: tuple[SetOff, ...] = ()

    @classmethod
    def of(
        cls,
        purpose: Purpose,
        period_number: int,
        period: Period,
        lines: tuple[InvoiceLine, ...],
        credit: Money,
        taxed: BillTax = UNTAXED,
    ) -> "Bill":
        """Set lines and their tax off against the credit that the subscription has."""
        nothing = Money.zero(credit.currency)
        net = Money.total((line.amount for line in lines), credit.currency)
        total = net + taxed.on(net)
        return cls(
            purpose=purpose,
            period_number=period_number,
            period=period,
            lines=lines,
            brought=max(min(credit, total), nothing),
            carried=max(-total, nothing),
            taxed=taxed,
        )

    @property
    def net(self) -> Money:
        return Money.total((line.amount for line in self.lines), self.brought.currency)

    @property
    def tax(self) -> Money:
        return self.taxed.on(self.net)

    @property
    def total(self) -> Money:
        return self.net + self.tax

    @property
    def due(self) -> Money:
        return self.total - self.brought + self.carried


@dataclass(slots=True, kw_only=True)
class PlatformSeries:
    """The numbers of a year, under lock."""

    year: int
    last_number: int
    last_sha256: bytes | None

    def next_number(self, prefix: str = NUMBER_PREFIX) -> str:
        """Take the next number."""
        self.last_number += 1
        return f"{prefix}-{self.year}-{self.last_number:06}"


@dataclass(frozen=True, kw_only=True)
class SubscriptionInvoiceIssued(Fact):
    """The platform has written an invoice."""

    name = "subscription_invoice.issued"
    subject: "SubscriptionInvoice" = field(repr=False, compare=False)


@dataclass(kw_only=True)
class SubscriptionInvoice(Aggregate):
    """An invoice of the platform; `payload` is its text in canonical JSON (RFC 8785).

    Of what is due a credit has paid what is `set_off`; `left` is paid with money. Of that
    `refunded` was given back, `withheld` is what banks ask for, and `lost` what they have got.
    """

    kind: ClassVar[str] = "subscription_invoice"
    id: SubscriptionInvoiceId
    subscription_id: SubscriptionId
    year: int
    series_number: int
    number: str
    bill: Bill
    issued_at: datetime
    payload: str
    payload_sha256: bytes
    previous_sha256: bytes | None
    paid_at: datetime | None = None
    given_up_at: datetime | None = None
    refunded: Money
    withheld: Money
    lost: Money
    set_off: Money

    @property
    def left(self) -> Money:
        """What no credit has paid of it: what is charged, or was."""
        return self.bill.due - self.set_off

    @property
    def currency(self) -> Currency:
        return self.bill.due.currency

    @property
    def status(self) -> str:
        """`paid` where nothing is left, or it was taken; `open` until then, or it is given up."""
        if self.left.is_zero or self.paid_at is not None:
            return "paid"
        return "open" if self.given_up_at is None else "uncollectible"

    @property
    def refundable(self) -> Money:
        """What may still be given back of what it was paid with."""
        paid = self.left if self.paid_at is not None else Money.zero(self.currency)
        return paid - self.refunded

    @property
    def gone(self) -> Money:
        """What of its money is not there any more, or is withheld: never more than it came to."""
        return min(self.refunded + self.withheld + self.lost, self.bill.total)

    @property
    def payment_status(self) -> PaymentStatus | None:
        """Where the payment stands that paid it, with what became of its money (GW-3); None where
        none has."""
        if self.paid_at is None:
            return None
        if not (self.withheld + self.lost).is_zero:
            return PaymentStatus.DISPUTED
        if self.refundable.is_zero:
            return PaymentStatus.REFUNDED
        if not self.refunded.is_zero:
            return PaymentStatus.PARTIALLY_REFUNDED
        return PaymentStatus.SUCCEEDED

    def state(self) -> dict[str, object]:
        return {"number": self.number, "payloadSha256": self.payload_sha256.hex()}


def issue(
    bill: Bill,
    invoice_id: SubscriptionInvoiceId,
    subscription_id: SubscriptionId,
    series: PlatformSeries,
    customer: dict[str, Any],
    issued_at: datetime,
) -> SubscriptionInvoiceIssued:
    """Write the invoice of a bill under the next number of the series."""
    previous, seller = series.last_sha256, bill.taxed.seller
    number = series.next_number()
    document = {
        "type": "subscription_invoice",
        "issuer": seller.document() if seller else {"name": PLATFORM},
        "customer": customer,
        "number": number,
        "issuedAt": issued_at.isoformat(),
        "subscription": subscription_id,
        "purpose": bill.purpose.value,
        "periodNumber": bill.period_number,
        "periodStart": bill.period.start.isoformat(),
        "periodEnd": bill.period.end.isoformat(),
        "currency": bill.due.currency,
        "lines": [line.document() for line in bill.lines],
        "netMicro": bill.net.amount_micro,
        "tax": _tax(bill),
        "totalMicro": bill.total.amount_micro,
        "creditUsedMicro": bill.brought.amount_micro,
        "creditLeftMicro": bill.carried.amount_micro,
        "dueMicro": bill.due.amount_micro,
        **({"setOff": [each.document() for each in bill.set_off]} if bill.set_off else {}),
        "previousSha256": previous.hex() if previous else None,
    }
    series.last_sha256 = digest(document)
    nothing = Money.zero(bill.due.currency)
    invoice = SubscriptionInvoice(
        id=invoice_id,
        subscription_id=subscription_id,
        year=series.year,
        series_number=series.last_number,
        number=number,
        bill=bill,
        issued_at=issued_at,
        payload=canonical(document).decode(),
        payload_sha256=series.last_sha256,
        previous_sha256=previous,
        refunded=nothing,
        withheld=nothing,
        lost=nothing,
        set_off=nothing,
    )
    return SubscriptionInvoiceIssued(subject=invoice, sequence=invoice.next_sequence())


def _tax(bill: Bill) -> dict[str, object]:
    """The tax as a reader of the invoice checks it: whose, at what rate, on what, and why."""
    taxed = bill.taxed
    return {
        "treatment": taxed.treatment.value,
        "country": taxed.country,
        "ratePpm": taxed.rate_ppm,
        "customerVatId": taxed.vat_id,
        "baseMicro": bill.net.amount_micro,
        "taxMicro": bill.tax.amount_micro,
        "note": taxed.note,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformEntry:
    """An entry of the platform's own books: one row debits one account and credits another."""

    debit: str
    credit: str
    amount: Money


def entries_of(bill: Bill) -> tuple[PlatformEntry, ...]:
    """How a bill is booked: what is earned, whose tax is owed, what the customer owes or has.

    What a bill below zero gives back, of what was earned and of the tax, stands to the customer's
    credit; a bill takes its tax from the side that it takes the rest from.
    """
    owed, earned, credit = "receivable", "subscription_revenue", "customer_credit"
    payable = f"vat_payable:{bill.taxed.country}"
    nothing = Money.zero(bill.due.currency)
    net, tax = bill.net, bill.tax
    booked = (
        PlatformEntry(debit=owed, credit=earned, amount=max(net, nothing)),
        PlatformEntry(debit=owed, credit=payable, amount=max(tax, nothing)),
        PlatformEntry(debit=earned, credit=credit, amount=max(-net, nothing)),
        PlatformEntry(debit=payable, credit=credit, amount=max(-tax, nothing)),
        PlatformEntry(debit=credit, credit=owed, amount=bill.brought),
    )
    return tuple(each for each in booked if not each.amount.is_zero)
