"""A refund: money that goes back to a guest, out of one payment and the way that it came.

What is promised counts at once. A card's refund is pending until the processor has said what became
of it; from the moment that it is recorded it stands on the folio as a line, and what it takes is no
longer left of the payment. So however many run at once, the promises never come to more than was
paid (REF-1). When one fails, a further line takes it back, and the amount is free again; while one
is pending, the folio does not close.

Nor is given back here what was moved to another folio. A refund goes back the way its payment came,
and the payment stays where it was recorded: so the money is moved back before it is refunded, and a
refund takes at most what stands on its folio of all payments, less what was moved away.

The amount is given in the payment's currency. What it is worth on the folio is the payment's own
worth in proportion, of all that has been given back together: parts that are refunded one after the
other come to exactly what the payment was worth, and conversion leaves nothing over (MON-5).

What a person confirms is the SHA-256 of a canonical document (RFC 8785): `deed` is `folio.refund`,
then `tenant`, `folio`, `payment`, `refund`, `amountMicro` and `currency`. Whoever asks for a refund
makes its id, so that a client works out what is confirmed from what it shows (SEC-4).
"""

from dataclasses import field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from common.domain.advice import Advice
from common.domain.canonical import digest
from common.domain.cash import Confirmed
from common.domain.dataclass import dataclass
from common.domain.folio import Folio, LinesPosted
from common.domain.folio_line import Line, LineType
from common.domain.identifiers import (
    CashSessionId,
    FolioId,
    LineId,
    PaymentId,
    RefundId,
    RefundReversalId,
)
from common.domain.ledger import Entry, account_of, paid_entries
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, Money
from common.domain.payment import NoOpenCashSession, Payment, PaymentMethod
from common.domain.refusal import Conflict, Missing, Unmet

REFUNDING: Final = "folio.refund"
BANK_ASKS: Final = "charge_disputed"
"""The processor's word where it makes no refund because a bank asks for the money."""
MADE_HERE: Final = frozenset({PaymentMethod.CASH, PaymentMethod.CARD, PaymentMethod.CREDITS})
"""Ways that we give money back by ourselves; what goes another way is made by hand."""


class PaymentUnknown(Missing):
    code = "PAYMENT_UNKNOWN"
    title = "The folio has no such payment"


class RefundUnknown(Missing):
    code = "REFUND_UNKNOWN"
    title = "The folio has no such refund"


class RefundExceedsPayment(Conflict):
    code = "REFUND_EXCEEDS_PAYMENT"
    title = "The refund is more than what is left of its payment"


class RefundOfMovedMoney(Conflict):
    code = "REFUND_OF_MOVED_MONEY"
    title = "The money of this payment stands on another folio: move it back first"


class RefundReferenceMissing(Unmet):
    code = "REFUND_REFERENCE_MISSING"
    title = "A refund that is made by hand says by which transfer, voucher or booking"


class RefundStatus(StrEnum):
    """Where a refund stands. It leaves `pending` once, and never comes back."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One refund. `paid` is what goes back, `amount` what it is worth on the folio.

    The worth of a small part may be nothing, where the folio's currency has no unit as small.
    `advice` is what was pointed out about it, its payment or its folio; it stops nothing (REF-2).
    Nobody has `confirmed` what a rule of the house gives back, of a canceled stay, nor what was
    given back at the processor itself, which has its id there: `processor_refund_id` (WH-5).
    One that failed after it was made has `came_back_at` (`refund_failure`).
    Refuses: AmountNotPositive, NoOpenCashSession, RefundReferenceMissing.
    """

    id: RefundId
    folio_id: FolioId
    payment_id: PaymentId
    method: PaymentMethod
    paid: Money
    amount: Money
    reason: str
    confirmed: Confirmed | None
    business_date: date
    promised_at: datetime
    reference: str | None = None
    cash_session_id: CashSessionId | None = None
    status: RefundStatus = RefundStatus.SUCCEEDED
    failure_code: str | None = None
    settled_at: datetime | None = None
    came_back_at: datetime | None = None
    processor_refund_id: str | None = None
    advice: tuple[Advice, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if self.paid.amount_micro <= 0:
            raise AmountNotPositive()
        if self.method is PaymentMethod.CASH and self.cash_session_id is None:
            raise NoOpenCashSession()
        if self.method not in MADE_HERE and not self.reference:
            raise RefundReferenceMissing()

    @property
    def is_pending(self) -> bool:
        """Whether the processor has not said yet what became of it."""
        return self.status is RefundStatus.PENDING

    @property
    def source(self) -> str:
        """Who gave it back: this house, or somebody at the processor."""
        return "house" if self.processor_refund_id is None else "processor"

    def entries(self, payment: Payment, out_of: str | None = None) -> tuple[Entry, ...]:
        """What it is in the ledger: its payment, the other way round; or out of another account."""
        account = out_of or account_of(payment, self.id, self.cash_session_id)
        return paid_entries(self.id, account, -self.paid, -self.amount, self.business_date)


@dataclass(frozen=True, kw_only=True)
class RefundRecorded(LinesPosted):
    """Money was given back, or is promised; `payment` is the payment with what is left of it."""

    name = "refund.recorded"
    refund: Refund
    payment: Payment


@dataclass(frozen=True, kw_only=True)
class RefundSettled(LinesPosted):
    """The processor has said what became of a refund; one that failed is taken back."""

    name = "refund.settled"
    refund: Refund
    payment: Payment


def refund_sha256(
    tenant_id: UUID, folio_id: FolioId, payment_id: PaymentId, refund_id: RefundId, paid: Money
) -> bytes:
    """What is confirmed by whoever refunds: this amount of this payment, by this refund."""
    return digest(
        {
            "deed": REFUNDING,
            "tenant": str(tenant_id),
            "folio": str(folio_id),
            "payment": str(payment_id),
            "refund": str(refund_id),
            "amountMicro": paid.amount_micro,
            "currency": str(paid.currency),
        }
    )


def give_back(
    folio: Folio,
    payment: Payment,
    paid: Money,
    standing: Money,
    moment: Moment,
    *,
    id: RefundId,
    reason: str,
    confirmed: Confirmed | None,
    reference: str | None = None,
    cash_session_id: CashSessionId | None = None,
) -> RefundRecorded:
    """Give an amount of a payment back, in the payment's currency; of a card, promise it.

    `standing` is what stands on the folio of all payments: less what was given back of them, and
    what was moved to other folios. Refuses: FolioAlreadyClosed, CurrenciesDiffer,
    AmountNotPositive, RefundExceedsPayment, RefundOfMovedMoney, NoOpenCashSession,
    RefundReferenceMissing.
    """
    folio.must_be_open()
    if paid > payment.left:
        raise RefundExceedsPayment(
            leftMicro=payment.left.amount_micro, currency=payment.paid.currency
        )
    if worth_of(payment, paid) > standing:
        raise RefundOfMovedMoney(leftMicro=standing.amount_micro, currency=standing.currency)
    waits = payment.method is PaymentMethod.CARD
    refund = Refund(
        id=id,
        folio_id=folio.id,
        payment_id=payment.id,
        method=payment.method,
        paid=paid,
        amount=worth_of(payment, paid),
        reason=reason,
        confirmed=confirmed,
        promised_at=moment.now,
        business_date=moment.settings.property(folio.property_id).business_date(moment.now),
        reference=reference,
        cash_session_id=cash_session_id,
        status=RefundStatus.PENDING if waits else RefundStatus.SUCCEEDED,
        settled_at=None if waits else moment.now,
        advice=payment.advice,
    )
    line = refund_line(folio, refund, refund.id, payment.id, moment)
    folio.pending_refunds += waits
    return folio.posted(
        RefundRecorded,
        folio.add(line),
        entries=refund.entries(payment),
        refund=refund,
        payment=less(payment, refund.paid, refund.amount),
        reason=reason,
    )


def settle_refund(
    folio: Folio, payment: Payment, refund: Refund, failure_code: str | None, moment: Moment
) -> RefundSettled | None:
    """Keep what became of a pending refund; None for one that is settled already.

    The first word counts, whoever brings it; one that was made may fail afterwards, and that is
    another thing (`refund_failure`). A refund that failed (`failure_code` says why) leaves its line
    and gets a further one that takes it back.
    By a clock that was set back it is settled at the instant of its promise, and not before it.
    """
    if not refund.is_pending:
        return None
    folio.must_be_open()
    folio.pending_refunds -= 1
    status = RefundStatus.SUCCEEDED if failure_code is None else RefundStatus.FAILED
    settled_at = max(moment.now, refund.promised_at)
    settled = replace(refund, status=status, failure_code=failure_code, settled_at=settled_at)
    if failure_code is None:
        return folio.posted(RefundSettled, (), refund=settled, payment=payment)
    line = refund_line(folio, settled, moment.new_id(RefundReversalId), refund.id, moment)
    account = account_of(payment, refund.id, refund.cash_session_id)
    return folio.posted(
        RefundSettled,
        folio.add(line),
        entries=paid_entries(line.id, account, refund.paid, refund.amount, line.business_date),
        refund=settled,
        payment=less(payment, -refund.paid, -refund.amount),
        reason=failure_code,
    )


def worth_of(payment: Payment, paid: Money) -> Money:
    """What giving back this much more of a payment is worth on its folio.

    The whole that is given back then is worth its share of the payment, rounded once (MON-3); this
    part is worth what is missing from that. What a failed refund freed may leave nothing missing.
    """
    given_back = payment.refunded_paid + paid
    share = payment.amount.times(given_back.amount_micro, payment.paid.amount_micro)
    return max(share - payment.refunded, Money.zero(payment.amount.currency))


def most_of(payment: Payment, worth: Money) -> Money:
    """The most that can be given back of a payment, in its currency, and is not worth more.

    All that is left of it where that is worth no more; else its share of the worth, to the minor
    unit of what was handed over. Of a foreign payment less than such a unit may be left.
    """
    if payment.kept <= worth:
        return payment.left
    unit = Money.of_minor_units(1, payment.paid.currency)
    most = payment.left.times(worth.amount_micro, payment.kept.amount_micro)
    while not most.is_zero and worth_of(payment, most) > worth:
        most -= unit
    return most


def refund_line(folio: Folio, refund: Refund, id: LineId, corrects: LineId, moment: Moment) -> Line:
    """A refund's line, or the line that takes one back which has failed."""
    failed = refund.failure_code is not None
    return Line(
        id=id,
        type=LineType.REFUND_REVERSAL if failed else LineType.REFUND,
        kind=refund.method,
        description={"und": refund.method},
        window=folio.window,
        amount=-refund.amount if failed else refund.amount,
        business_date=moment.settings.property(folio.property_id).business_date(moment.now),
        settings_version=moment.settings.version,
        corrects=corrects,
        reason=refund.failure_code or refund.reason,
    )


def less(payment: Payment, paid: Money, amount: Money) -> Payment:
    """The payment, so much more of it given back."""
    return replace(
        payment,
        refunded_paid_micro=payment.refunded_paid_micro + paid.amount_micro,
        refunded_micro=payment.refunded_micro + amount.amount_micro,
    )
