"""The events of folios: opened, moved by lines, closed and opened again; and of the stay behind."""

from typing import TYPE_CHECKING, Any, Final

from common.contracts.event import EventData
from common.contracts.fields import Amount, CurrencyCode, Day
from common.contracts.references import (
    ChargeRef,
    CompanyAccountRef,
    CreditAccountRef,
    FolioRef,
    LineRef,
    PaymentRef,
    PropertyRef,
    RefundRef,
    SettlementRef,
)
from common.contracts.shapes import Shape

if TYPE_CHECKING:  # a function loads the facts that it tells, not all that can be told
    from common.domain.cancellation import StayCanceled
    from common.domain.correction import ChargeAdjusted, ChargeVoided
    from common.domain.deposit import DepositMoved
    from common.domain.folio import (
        BalanceDueFound,
        ChargePosted,
        FolioOpened,
        LinesPosted,
        PaymentRecorded,
    )
    from common.domain.folio_line import Line
    from common.domain.refund import RefundRecorded, RefundSettled
    from common.domain.refund_failure import RefundCameBack, RefundCameBackPlaced
    from common.domain.reopening import FolioReopened
    from common.domain.settlement import FolioClosed
    from common.domain.transfer import LinesTransferred
    from common.domain.untaxed import TaxRuleMissed

    RefundTold = RefundRecorded | RefundSettled | RefundCameBack | RefundCameBackPlaced


class LineData(Shape):
    """A line that moved the balance of a folio; `untaxed` says why a charge bears no tax,
    `movedFrom` which line of another folio took it away there."""

    line_id: LineRef
    sequence: int
    type: str
    kind: str
    amount: Amount
    business_date: Day
    service_date: Day | None
    charge_id: ChargeRef | None
    corrects: LineRef | None
    tax_code: str | None
    untaxed: str | None = None
    moved_from: LineRef | None = None

    @classmethod
    def of(cls, line: "Line") -> "LineData":
        return cls(
            line_id=line.id,
            sequence=line.sequence,
            type=line.type.value,
            kind=line.kind,
            amount=line.amount,
            business_date=line.business_date,
            service_date=line.service_date,
            charge_id=line.charge_id,
            corrects=line.corrects,
            tax_code=line.tax.rule_code if line.tax else None,
            untaxed=line.untaxed,
            moved_from=line.moved_from,
        )


class FolioOpenedV1(EventData):
    fact = "folio.opened"
    folio_id: FolioRef
    property_id: PropertyRef
    reservation_id: str | None
    window: str
    currency: CurrencyCode
    business_date: Day

    @classmethod
    def of(cls, fact: "FolioOpened") -> "FolioOpenedV1":
        folio = fact.subject
        return cls(
            folio_id=folio.id,
            property_id=folio.property_id,
            reservation_id=folio.reservation_id,
            window=folio.window,
            currency=folio.currency,
            business_date=folio.business_date,
        )


class _Lines(EventData):
    folio_id: FolioRef
    property_id: PropertyRef
    lines: tuple[LineData, ...]
    balance: Amount

    @classmethod
    def shared(cls, fact: "LinesPosted") -> dict[str, Any]:
        folio = fact.subject
        return {
            "folio_id": folio.id,
            "property_id": folio.property_id,
            "lines": tuple(LineData.of(line) for line in fact.lines),
            "balance": fact.balance,
        }


class ChargePostedV1(_Lines):
    fact = "charge.posted"

    @classmethod
    def of(cls, fact: "ChargePosted") -> "ChargePostedV1":
        return cls(**cls.shared(fact))


class ChargeVoidedV1(_Lines):
    fact = "charge.voided"
    reason: str | None

    @classmethod
    def of(cls, fact: "ChargeVoided") -> "ChargeVoidedV1":
        return cls(**cls.shared(fact), reason=fact.reason)


class ChargeAdjustedV1(_Lines):
    fact = "charge.adjusted"
    reason: str | None

    @classmethod
    def of(cls, fact: "ChargeAdjusted") -> "ChargeAdjustedV1":
        return cls(**cls.shared(fact), reason=fact.reason)


class PaymentRecordedV1(_Lines):
    """`companyAccountId` is who settles later, where a company does; `creditAccountId` is whose
    credits paid, `creditsMicro` of them."""

    fact = "payment.recorded"
    payment_id: PaymentRef
    method: str
    paid: Amount
    amount: Amount
    company_account_id: CompanyAccountRef | None = None
    credit_account_id: CreditAccountRef | None = None
    credits_micro: int | None = None

    @classmethod
    def of(cls, fact: "PaymentRecorded") -> "PaymentRecordedV1":
        payment = fact.payment
        return cls(
            **cls.shared(fact),
            payment_id=payment.id,
            method=payment.method.value,
            paid=payment.paid,
            amount=payment.amount,
            company_account_id=payment.company_account_id,
            credit_account_id=payment.credit_account_id,
            credits_micro=payment.credits_micro,
        )


class _Refund(_Lines):
    refund_id: RefundRef
    payment_id: PaymentRef
    method: str
    paid: Amount
    amount: Amount
    status: str

    @classmethod
    def shared(cls, fact: "RefundTold") -> dict[str, Any]:  # type: ignore[override] # the facts that have a refund
        refund = fact.refund
        return {
            **super().shared(fact),
            "refund_id": refund.id,
            "payment_id": refund.payment_id,
            "method": refund.method.value,
            "paid": refund.paid,
            "amount": refund.amount,
            "status": refund.status.value,
        }


class RefundRecordedV1(_Refund):
    fact = "refund.recorded"

    @classmethod
    def of(cls, fact: "RefundRecorded") -> "RefundRecordedV1":
        return cls(**cls.shared(fact))


class RefundSettledV1(_Refund):
    fact = "refund.settled"
    failure_code: str | None

    @classmethod
    def of(cls, fact: "RefundSettled") -> "RefundSettledV1":
        return cls(**cls.shared(fact), failure_code=fact.refund.failure_code)


class RefundCameBackV1(_Refund):
    """It was made and has failed since: the house has the money again, and owes it. Without a line
    its folio is closed: a person opens that, and gives the money back anew."""

    fact = "refund.came_back"
    failure_code: str | None

    @classmethod
    def of(cls, fact: "RefundCameBack") -> "RefundCameBackV1":
        return cls(**cls.shared(fact), failure_code=fact.refund.failure_code)


class RefundCameBackPlacedV1(_Refund):
    """One that came back while its folio was closed is taken back there."""

    fact = "refund.came_back_placed"
    failure_code: str | None

    @classmethod
    def of(cls, fact: "RefundCameBackPlaced") -> "RefundCameBackPlacedV1":
        return cls(**cls.shared(fact), failure_code=fact.refund.failure_code)


class LinesTransferredV1(_Lines):
    """One of two: the folio that lines left, and the folio that they reached, each tell theirs."""

    fact = "folio.lines_transferred"
    from_folio_id: FolioRef
    to_folio_id: FolioRef
    reason: str | None

    @classmethod
    def of(cls, fact: "LinesTransferred") -> "LinesTransferredV1":
        return cls(
            **cls.shared(fact),
            from_folio_id=fact.from_folio_id,
            to_folio_id=fact.to_folio_id,
            reason=fact.reason,
        )


class DepositMovedV1(_Lines):
    """One of two: the folio that money left, and the folio that it reached, each tell theirs."""

    fact = "folio.deposit_moved"
    from_folio_id: FolioRef
    to_folio_id: FolioRef
    reason: str | None

    @classmethod
    def of(cls, fact: "DepositMoved") -> "DepositMovedV1":
        return cls(
            **cls.shared(fact),
            from_folio_id=fact.from_folio_id,
            to_folio_id=fact.to_folio_id,
            reason=fact.reason,
        )


class StayCanceledV1(EventData):
    """What became of what was paid ahead; `left` stands on the folio, for a clerk to give back."""

    fact = "folio.stay_canceled"
    folio_id: FolioRef
    property_id: PropertyRef
    reservation_id: str | None
    canceled_on: Day
    forfeited: Amount
    given_back: Amount
    left: Amount

    @classmethod
    def of(cls, fact: "StayCanceled") -> "StayCanceledV1":
        folio = fact.subject
        return cls(
            folio_id=folio.id,
            property_id=folio.property_id,
            reservation_id=folio.reservation_id,
            canceled_on=fact.canceled_on,
            forfeited=fact.forfeited,
            given_back=fact.given_back,
            left=fact.left,
        )


class BalanceDueV1(EventData):
    fact = "folio.balance_due"
    folio_id: FolioRef
    property_id: PropertyRef
    balance: Amount

    @classmethod
    def of(cls, fact: "BalanceDueFound") -> "BalanceDueV1":
        folio = fact.subject
        return cls(folio_id=folio.id, property_id=folio.property_id, balance=fact.balance)


class TaxRuleMissingV1(EventData):
    """No rule covers that kind of charge on that day; `posted` says that it went untaxed."""

    fact = "tax_rule.missing"
    folio_id: FolioRef
    property_id: PropertyRef
    charge_kind: str
    on: Day
    jurisdiction: str
    posted: bool

    @classmethod
    def of(cls, fact: "TaxRuleMissed") -> "TaxRuleMissingV1":
        folio = fact.subject
        return cls(
            folio_id=folio.id,
            property_id=folio.property_id,
            charge_kind=fact.charge_kind,
            on=fact.on,
            jurisdiction=fact.jurisdiction,
            posted=fact.posted,
        )


class FolioClosedV1(_Lines):
    fact = "folio.closed"
    settlement_id: SettlementRef
    charges: Amount
    payments: Amount
    residual: Amount

    @classmethod
    def of(cls, fact: "FolioClosed") -> "FolioClosedV1":
        settlement = fact.settlement
        return cls(
            **cls.shared(fact),
            settlement_id=settlement.id,
            charges=settlement.charges,
            payments=settlement.payments,
            residual=settlement.residual,
        )


class FolioReopenedV1(EventData):
    """A closed folio is open again; its lines up to `billedTo` stand on documents."""

    fact = "folio.reopened"
    folio_id: FolioRef
    property_id: PropertyRef
    reopened: int
    billed_to: int

    @classmethod
    def of(cls, fact: "FolioReopened") -> "FolioReopenedV1":
        folio, reopening = fact.subject, fact.reopening
        return cls(
            folio_id=folio.id,
            property_id=folio.property_id,
            reopened=reopening.number,
            billed_to=reopening.billed_to,
        )


FOLIO_EVENTS: Final = (
    FolioOpenedV1,
    ChargePostedV1,
    ChargeVoidedV1,
    ChargeAdjustedV1,
    PaymentRecordedV1,
    RefundRecordedV1,
    RefundSettledV1,
    RefundCameBackV1,
    RefundCameBackPlacedV1,
    LinesTransferredV1,
    DepositMovedV1,
    StayCanceledV1,
    BalanceDueV1,
    TaxRuleMissingV1,
    FolioClosedV1,
    FolioReopenedV1,
)
