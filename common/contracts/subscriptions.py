"""How subscriptions and the platform's invoices read on the wire."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field

from common.contracts.fields import (
    Amount,
    AmountNotNegative,
    Instant,
    PaymentToken,
    QuoteToken,
)
from common.contracts.plans import PlanName
from common.contracts.references import (
    PlatformCreditNoteRef,
    SubscriptionInvoiceRef,
    SubscriptionRef,
)
from common.contracts.shapes import Outcome, Request, Shape
from common.domain.period import Interval, Period
from common.domain.plan import SEATS_MAX
from common.domain.subscription import Subscription, SubscriptionChanged
from common.domain.subscription_history import HistoryEntry
from common.domain.subscription_invoice import Bill, InvoiceLine, SetOff, SubscriptionInvoice
from common.domain.subscription_terms import Terms

if TYPE_CHECKING:  # who shows no credit note loads none
    from common.domain.platform_credit import PlatformCreditNote

Seats = Annotated[int, Field(ge=1, le=SEATS_MAX, examples=[5])]
Device = Annotated[
    PaymentToken, Field(min_length=16, examples=["6f1ed002ab5595859014ebf0951522d9"])
]
"""What a client calls the device that it runs on: long enough to be no other's."""
PlanNumber = Annotated[int, Field(ge=1, le=1_000_000, examples=[1])]


class PeriodView(Shape):
    """From `start` until just before `end`."""

    start: Instant
    end: Instant

    @classmethod
    def of(cls, period: Period) -> "PeriodView":
        return cls(start=period.start, end=period.end)


class TermsView(Shape):
    """What is subscribed to, and what a period of it costs."""

    plan: PlanName
    plan_version: int
    seats: int
    interval: Interval
    fee: Amount

    @classmethod
    def of(cls, terms: Terms) -> "TermsView":
        return cls(
            plan=terms.plan,
            plan_version=terms.plan_version,
            seats=terms.seats,
            interval=terms.interval,
            fee=terms.fee,
        )


class InvoiceLineView(Shape):
    """What an amount is for, and for which time; one below zero is the customer's. What was used
    has its `meter`, the `quantity` of the whole period, and the period's number; the amount is what
    was not billed of that before."""

    kind: str
    plan: PlanName
    plan_version: int
    seats: int
    period: PeriodView
    amount: Amount
    meter: str | None
    quantity: int | None
    usage_period: int | None

    @classmethod
    def of(cls, line: InvoiceLine) -> "InvoiceLineView":
        return cls(
            kind=line.kind.value,
            plan=line.plan,
            plan_version=line.plan_version,
            seats=line.seats,
            period=PeriodView.of(line.period),
            amount=line.amount,
            meter=line.meter,
            quantity=line.quantity,
            usage_period=line.usage_period,
        )


class BillTaxView(Shape):
    """How a bill is taxed: whose tax at which rate (190,000 millionths are 19 %), and why; below
    zero is given back. A VAT number of the customer is one that is valid by its form."""

    treatment: str
    country: str | None
    rate_ppm: int
    customer_vat_id: str | None
    amount: Amount
    note: str

    @classmethod
    def of(cls, bill: Bill) -> "BillTaxView":
        taxed = bill.taxed
        return cls(
            treatment=taxed.treatment.value,
            country=taxed.country,
            rate_ppm=taxed.rate_ppm,
            customer_vat_id=taxed.vat_id,
            amount=bill.tax,
            note=taxed.note,
        )


class SetOffView(Shape):
    """So much of the customer's credit pays what was open of this earlier invoice."""

    invoice_id: SubscriptionInvoiceRef
    number: str
    amount: Amount

    @classmethod
    def of(cls, share: SetOff) -> "SetOffView":
        return cls(invoice_id=share.invoice_id, number=share.number, amount=share.amount)


class BillView(Shape):
    """What an invoice comes to. `total` is `net`, all lines, and the tax on it. `creditUsed` was
    the customer's and is taken off, `creditLeft` is what a total below zero leaves: what of the
    credit is `setOff` pays invoices that are open, the rest pays the next ones; `due` is to be
    paid."""

    purpose: str
    period_number: int
    lines: tuple[InvoiceLineView, ...]
    net: Amount
    tax: BillTaxView
    total: Amount
    credit_used: Amount
    credit_left: Amount
    set_off: tuple[SetOffView, ...] = ()
    due: Amount

    @classmethod
    def of(cls, bill: Bill) -> "BillView":
        return cls(
            purpose=bill.purpose.value,
            period_number=bill.period_number,
            lines=tuple(InvoiceLineView.of(line) for line in bill.lines),
            net=bill.net,
            tax=BillTaxView.of(bill),
            total=bill.total,
            credit_used=bill.brought,
            credit_left=bill.carried,
            set_off=tuple(SetOffView.of(each) for each in bill.set_off),
            due=bill.due,
        )


class SubscriptionInvoiceView(Outcome):
    """An invoice of the platform: `open` until it is paid, `paid` where nothing is left to pay. Of
    what is due credits have paid what is `setOff`; `left` is charged, or was.

    `paymentStatus` is where the payment stands that paid it, null without one. Of what it has paid,
    `refunded` was given back, `disputed` is withheld for banks that ask for it, `lost` they have.
    """

    invoice_id: SubscriptionInvoiceRef
    subscription_id: SubscriptionRef
    number: str
    status: str
    period: PeriodView
    bill: BillView
    issued_at: Instant
    payload: str
    payload_sha256: str
    previous_sha256: str | None
    payment_status: str | None
    refunded: Amount
    disputed: Amount
    lost: Amount
    set_off: Amount
    left: Amount

    @classmethod
    def of(cls, invoice: SubscriptionInvoice) -> Self:
        return cls(**cls.shared(invoice))

    @classmethod
    def shared(cls, invoice: SubscriptionInvoice) -> dict[str, Any]:
        previous, payment = invoice.previous_sha256, invoice.payment_status
        return {
            "invoice_id": invoice.id,
            "subscription_id": invoice.subscription_id,
            "number": invoice.number,
            "status": invoice.status,
            "period": PeriodView.of(invoice.bill.period),
            "bill": BillView.of(invoice.bill),
            "issued_at": invoice.issued_at,
            "payload": invoice.payload,
            "payload_sha256": invoice.payload_sha256.hex(),
            "previous_sha256": previous.hex() if previous else None,
            "payment_status": payment.value if payment else None,
            "refunded": invoice.refunded,
            "disputed": invoice.withheld,
            "lost": invoice.lost,
            "set_off": invoice.set_off,
            "left": invoice.left,
        }


class PlatformCreditNoteView(Shape):
    """A credit note of the platform: what was given back of an invoice's money, with its tax."""

    credit_note_id: PlatformCreditNoteRef
    number: str
    net: Amount
    tax: Amount
    total: Amount
    issued_at: Instant
    payload: str
    payload_sha256: str
    previous_sha256: str | None

    @classmethod
    def of(cls, note: "PlatformCreditNote") -> "PlatformCreditNoteView":
        previous = note.previous_sha256
        return cls(
            credit_note_id=note.id,
            number=note.number,
            net=note.net,
            tax=note.tax,
            total=note.total,
            issued_at=note.issued_at,
            payload=note.payload,
            payload_sha256=note.payload_sha256.hex(),
            previous_sha256=previous.hex() if previous else None,
        )


class SubscriptionInvoiceShown(SubscriptionInvoiceView):
    """An invoice of the platform, with the credit notes of what was given back of it."""

    credit_notes: tuple[PlatformCreditNoteView, ...]

    @classmethod
    def showing(
        cls, invoice: SubscriptionInvoice, notes: "Sequence[PlatformCreditNote]"
    ) -> "SubscriptionInvoiceShown":
        views = tuple(PlatformCreditNoteView.of(each) for each in notes)
        return cls(**cls.shared(invoice), credit_notes=views)


class SubscriptionView(Shape):
    """A subscription. `credit` is the tenant's; `obligation` is what a commitment still asks for;
    `nextTerms` are in force from the next period on."""

    subscription_id: SubscriptionRef
    status: str
    terms: TermsView
    next_terms: TermsView | None
    time_zone: str
    started_at: Instant
    period_number: int
    period: PeriodView
    credit: Amount
    committed_periods: int
    obligation: Amount
    ends_at: Instant | None
    paused_at: Instant | None
    canceled_at: Instant | None

    @classmethod
    def of(cls, subscription: Subscription) -> "SubscriptionView":
        later = subscription.next_terms
        return cls(
            subscription_id=subscription.id,
            status=subscription.status.value,
            terms=TermsView.of(subscription.terms),
            next_terms=TermsView.of(later) if later else None,
            time_zone=subscription.time_zone,
            started_at=subscription.started_at,
            period_number=subscription.period_number,
            period=PeriodView.of(subscription.period),
            credit=subscription.credit,
            committed_periods=subscription.committed_periods,
            obligation=subscription.obligation,
            ends_at=subscription.ends_at,
            paused_at=subscription.paused_at,
            canceled_at=subscription.canceled_at,
        )


class SubscriptionAnswer(Outcome):
    """The subscription as the command left it, and the invoice that it made, if it made one."""

    subscription: SubscriptionView
    invoice: SubscriptionInvoiceView | None
    version: int

    @classmethod
    def of(
        cls, subscription: Subscription, invoice: SubscriptionInvoice | None = None
    ) -> "SubscriptionAnswer":
        return cls(
            subscription=SubscriptionView.of(subscription),
            invoice=SubscriptionInvoiceView.of(invoice) if invoice else None,
            version=subscription.version,
        )


class SubscriptionChangeAnswer(Outcome):
    """The subscription after the change. `bill` is what the change makes due at once, null where
    it makes nothing due; a preview has no invoice, and the quote for it, which binds before
    `quoteExpiresAt`."""

    subscription: SubscriptionView
    bill: BillView | None
    invoice: SubscriptionInvoiceView | None
    quote_token: QuoteToken | None = None
    quote_expires_at: Instant | None = None
    version: int

    @classmethod
    def of(
        cls, fact: SubscriptionChanged, invoice: SubscriptionInvoice | None = None, **quoted: Any
    ) -> "SubscriptionChangeAnswer":
        """What a change came to, or would come to."""
        return cls(
            subscription=SubscriptionView.of(fact.subject),
            bill=BillView.of(fact.bill) if fact.bill else None,
            invoice=SubscriptionInvoiceView.of(invoice) if invoice else None,
            version=fact.subject.version,
            **quoted,
        )


class HistoryView(Shape):
    """Something that happened to a subscription, by whom and why."""

    action: str
    actor: str
    reason: str | None
    occurred_at: Instant

    @classmethod
    def of(cls, entry: HistoryEntry) -> "HistoryView":
        return cls(
            action=entry.action,
            actor=entry.actor,
            reason=entry.reason,
            occurred_at=entry.occurred_at,
        )


class TermsGiven(Request):
    """Terms that are asked for. Where the plan has no fee of its own, `agreedMonthlyFee` is."""

    plan: PlanName | None = None
    plan_version: PlanNumber | None = None
    seats: Seats | None = None
    interval: Interval | None = None
    agreed_monthly_fee: AmountNotNegative | None = None

    def asked(self) -> dict[str, Any]:
        """The terms as they were asked for, in the names of the wire."""
        return self.model_dump(mode="json", by_alias=True, include=set(TermsGiven.model_fields))
