"""A refund that somebody made at the processor itself has the effect that ours have, once (WH-5).

Its folio is locked before anybody looks whether the refund is known: of two that tell of it at once
the second finds what the first has done. A refund that bears an id of ours is not its business.
"""

from common.domain.dataclass import dataclass
from common.domain.folio import Folio, FolioStatus
from common.domain.identifiers import PaymentId
from common.domain.late_refund import LateRefund, given_back_there
from common.domain.money import Money
from common.domain.payment import Payment
from common.domain.refund import (
    PaymentUnknown,
    RefundExceedsPayment,
    RefundOfMovedMoney,
    RefundRecorded,
)
from common.domain.returned_payment import PartKind, ReturnStatus
from common.ports.transaction import Transaction
from common.procedures.owing_again import company_refund_failed, company_refunded
from common.procedures.returning import come_again, go_otherwise, place_unreturned


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A refund of the processor's own that was made: its id there, of what, and how much."""

    processor_refund_id: str
    processor_payment_id: str
    paid: Money


def keep_refunded_there(told: Told, tx: Transaction) -> None:
    """Write a refund down that was made at the processor.

    Refuses: PaymentUnknown, AmountNotPositive, WebhookContradictsBooks, RefundExceedsPayment,
    RefundOfMovedMoney.
    """
    if _of_what_goes_back(told, tx):
        return
    payment = tx.folios.find_paid_by(told.processor_payment_id)
    if payment is None:
        if not company_refunded(told.processor_payment_id, told.processor_refund_id, told.paid, tx):
            raise PaymentUnknown()
        return
    _keep(told, payment, tx)


def _of_what_goes_back(told: Told, tx: Transaction) -> bool:
    """A payment that came for a closed folio goes back by that, as far as it does; False where it
    is another, or stands on its folio by now.

    Refuses: AmountNotPositive, WebhookContradictsBooks, RefundExceedsPayment.
    """
    taken = tx.returned_payments.take_paid_by(told.processor_payment_id)
    if taken is None or taken[1].status is ReturnStatus.PLACED:
        return False
    kind = PartKind.REFUNDED_THERE
    go_otherwise(*taken, told.paid, kind, told.processor_refund_id, tx)
    return True


def keep_failed_there(
    processor_payment_id: str, processor_refund_id: str, failure_code: str, tx: Transaction
) -> None:
    """A refund that was made at the processor has failed afterwards: the house has the money again.
    One that was not known to be made changes nothing.

    Refuses: WebhookContradictsBooks, where what is left of a payment that goes back is under way.
    """
    taken = tx.returned_payments.take_paid_by(processor_payment_id)
    if taken is not None and taken[1].status is not ReturnStatus.PLACED:
        come_again(*taken, processor_refund_id, failure_code, tx)
        return
    payment = tx.folios.find_paid_by(processor_payment_id)
    if payment is None:
        company_refund_failed(processor_payment_id, processor_refund_id, tx)
    else:
        from common.procedures.coming_back import refund_there_came_back  # it comes seldom (PERF-1)

        refund_there_came_back(payment, processor_refund_id, failure_code, tx)


def settle_late_refunds(folio: Folio, tx: Transaction) -> None:
    """Put onto a folio that was opened again what the processor gave back while it was closed, what
    came then and could not go back, and that a refund of it has failed since: that first, as it
    frees what others may have given back.

    The folio was taken, and is kept again here. What it cannot take now waits on, and stays among
    the differences.
    """
    payments: dict[PaymentId, Payment] = {}
    given_before = Money.zero(folio.currency)
    failures, waiting, unreturned = tx.late_refunds.waiting_for(folio.id)
    place_unreturned(folio, unreturned, tx)
    for failure in failures:
        from common.procedures.coming_back import put_on_its_folio

        placed = put_on_its_folio(folio, failure, payments, tx)
        payments[placed.payment.id] = placed.payment
        given_before -= placed.refund.amount
    for late in waiting:
        _, payment, standing = tx.refunds.take_payment(folio.id, late.payment_id)
        known = payments.get(payment.id, payment)
        left = standing - given_before
        try:
            given = given_back_there(
                folio, known, late.paid, left, late.processor_refund_id, tx, late
            )
        except (RefundExceedsPayment, RefundOfMovedMoney):
            continue
        payments[payment.id] = given.payment
        given_before += given.refund.amount
        _book(given, late, tx)


def _book(given: RefundRecorded, late: LateRefund | None, tx: Transaction) -> None:
    """Write what is on its folio now, and that it waits no longer."""
    tx.folios.keep(given.subject)
    tx.refunds.keep(given.refund, given.payment)
    tx.ledger.post(given)
    tx.tell(given)
    if late is not None:
        settled = late.settled(tx)
        tx.late_refunds.keep(late)
        tx.tell(settled)


def _keep(told: Told, payment: Payment, tx: Transaction) -> None:
    folio, known, standing = tx.refunds.take_payment(payment.folio_id, payment.id)
    on_folio, late = tx.late_refunds.look_for(told.processor_refund_id)
    if on_folio or (late is not None and late.failure_code is not None):
        return
    if folio.status is FolioStatus.CLOSED:
        if late is None:
            recorded = LateRefund.recorded(folio, known, told.paid, told.processor_refund_id, tx)
            tx.late_refunds.keep(recorded.subject)
            tx.ledger.post(recorded)
            tx.tell(recorded)
        return
    given = given_back_there(folio, known, told.paid, standing, told.processor_refund_id, tx, late)
    _book(given, late, tx)
