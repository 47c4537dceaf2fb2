"""A card's refund that was made and failed afterwards: the guest does not have it (WH-4, REF-1).

The processor says that a refund was made, and days later that it was not: the card is gone, the
bank has sent the money back. Then the house has it again, and owes it again. On an open folio a
line takes the refund back, as one does of a refund that was never made, and the amount is free of
its payment: it can be given back anew.

A folio that is closed takes no line. The money is booked in beside it, onto `refunds_to_settle`,
where it is owed, and waits until a person opens the folio again: then it is taken back there, out
of that account. Until then the reconciliation with the processor names it.

A refund fails once, and for good. What the processor has said first of a refund that is pending is
not turned round by this: one that was refused was never made.
"""

from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar

from common.domain.dataclass import dataclass
from common.domain.folio import Folio, FolioStatus, LinesPosted
from common.domain.identifiers import FolioId, RefundId, RefundReversalId
from common.domain.late_refund import LATE
from common.domain.ledger import CARD_CLEARING, REFUNDS_TO_SETTLE, Entry, account_of, paid_entries
from common.domain.moment import Moment
from common.domain.payment import Payment
from common.domain.refund import Refund, RefundStatus, less, refund_line


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFailure:
    """That a refund failed after it was made. Its id is that of the line that takes it back."""

    id: RefundReversalId
    refund_id: RefundId
    folio_id: FolioId
    failure_code: str
    business_date: date
    failed_at: datetime


@dataclass(frozen=True, kw_only=True)
class RefundCameBack(LinesPosted):
    """The money of a refund that was made is with the house again; without a line its folio is
    closed, and a person opens it. `payment` is the payment with what is left of it."""

    name = "refund.came_back"
    refund: Refund
    payment: Payment
    failure: RefundFailure


@dataclass(frozen=True, kw_only=True)
class RefundCameBackPlaced(LinesPosted):
    """A refund that came back while its folio was closed is taken back there."""

    name = "refund.came_back_placed"
    refund: Refund
    payment: Payment
    failure: RefundFailure


Told = TypeVar("Told", RefundCameBack, RefundCameBackPlaced)


def come_back(
    folio: Folio, payment: Payment, refund: Refund, failure_code: str, moment: Moment
) -> RefundCameBack | None:
    """Take a refund back that was made, on its folio or beside it; None for one that was not made,
    or has come back already.

    By a clock that was set back it fails at the instant at which it was made, and not before it.
    """
    if refund.status is not RefundStatus.SUCCEEDED:
        return None
    failure = RefundFailure(
        id=moment.new_id(RefundReversalId),
        refund_id=refund.id,
        folio_id=folio.id,
        failure_code=failure_code,
        business_date=moment.settings.property(folio.property_id).business_date(moment.now),
        failed_at=max(moment.now, refund.settled_at or refund.promised_at),
    )
    failed = replace(
        refund,
        status=RefundStatus.FAILED,
        failure_code=failure_code,
        came_back_at=failure.failed_at,
    )
    if folio.status is FolioStatus.CLOSED:
        on = failure.business_date
        beside = Entry(failure.id, LATE, CARD_CLEARING, REFUNDS_TO_SETTLE, refund.paid, on)
        return folio.posted(
            RefundCameBack,
            (),
            entries=(beside,),
            refund=failed,
            payment=payment,
            failure=failure,
            reason=failure_code,
        )
    account = account_of(payment, refund.id, refund.cash_session_id)
    return _taken_back(RefundCameBack, folio, payment, failed, failure, account, moment)


def place_come_back(
    folio: Folio, payment: Payment, refund: Refund, failure: RefundFailure, moment: Moment
) -> RefundCameBackPlaced:
    """Take a refund back on its folio, which is open again. Refuses: FolioAlreadyClosed."""
    folio.must_be_open()
    return _taken_back(
        RefundCameBackPlaced, folio, payment, refund, failure, REFUNDS_TO_SETTLE, moment
    )


def _taken_back(
    fact: type[Told],
    folio: Folio,
    payment: Payment,
    failed: Refund,
    failure: RefundFailure,
    account: str,
    moment: Moment,
) -> Told:
    """Take it back on its open folio; the money comes out of, or into, this account."""
    line = refund_line(folio, failed, failure.id, failed.id, moment)
    entries = paid_entries(line.id, account, failed.paid, failed.amount, line.business_date)
    return folio.posted(
        fact,
        folio.add(line),
        entries=entries,
        refund=failed,
        payment=less(payment, -failed.paid, -failed.amount),
        failure=failure,
        reason=failed.failure_code,
    )
