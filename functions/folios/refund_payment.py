"""Give a guest money back, out of one payment and the way that it came.

Cash comes out of an open drawer, in the same transaction. It is not held against what the drawer
should hold: a refusal would tell that before it is counted. Of a card the refund is promised here,
and the processor asked once the promise is committed: the answer says `pending` whatever became of
it, so that a retry is answered the same. What a company was to settle is owed by it no longer.
Credits come back to the lots that they were taken of. Everything else a person has given back by
hand.

The caller confirms exactly this refund: `common.domain.refund` has the document whose SHA-256 the
confirmation bears, and a client works it out from what it shows.
"""

from common.contracts.fields import FreeText, Payable
from common.contracts.references import (
    CashSessionRef,
    FolioRef,
    PaymentRef,
    RefundRef,
)
from common.contracts.refunds import RefundAnswer
from common.contracts.shapes import Request
from common.domain.company_account import CompanyAccountNotActive
from common.domain.folio import FolioAlreadyClosed, FolioUnknown
from common.domain.money import AmountNotPositive, CurrenciesDiffer
from common.domain.payment import NoOpenCashSession, PaymentMethod
from common.domain.prepaid_account import CreditsOutOfRange
from common.domain.receivable import InvoiceWrittenOff
from common.domain.refund import (
    PaymentUnknown,
    RefundExceedsPayment,
    RefundOfMovedMoney,
    RefundReferenceMissing,
    RefundStatus,
    give_back,
    refund_sha256,
)
from common.ports.folios import PendingRefund
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures.confirming import confirmed
from common.procedures.owing import give_back_debt
from common.procedures.redeeming import restore_credits
from common.procedures.refunding import ask_processor, keep_answer
from common.runtime.declaration import Errand, RateLimit, http_function


class RefundPayment(Request):
    """How much of which payment goes back, and why; `amount` is in the payment's currency.

    `cashSessionId` says out of which drawer cash comes: the caller's own, unless it is given.
    `reference` names the transfer, the voucher or the booking by which a refund was made by hand.
    """

    folio_id: FolioRef
    id: RefundRef
    payment_id: PaymentRef
    amount: Payable
    reason: FreeText
    reference: FreeText | None = None
    cash_session_id: CashSessionRef | None = None


def what_is_confirmed(request: RefundPayment, actor: Actor) -> str:
    """This amount of this payment, by this refund."""
    return refund_sha256(
        actor.tenant_id, request.folio_id, request.payment_id, request.id, request.amount
    ).hex()


def waits_for_its_processor(answered: RefundAnswer) -> bool:
    """Whether the refund was promised and not made."""
    return answered.refund.status == RefundStatus.PENDING.value


def left_pending(answered: RefundAnswer, tx: Transaction) -> PendingRefund | None:
    """The refund, if it waits for its processor."""
    return tx.refunds.find_pending(answered.refund.refund_id)


@http_function(
    "POST",
    "/folios/{folio_id}/refunds",
    scope="billing.refund.write",
    status=201,
    step_up=True,
    context=what_is_confirmed,
    moves_money=True,
    creates=True,
    etag="folio",
    limits=(RateLimit(quota=10, window_seconds=60),),
    afterwards=Errand(
        job="retry_refunds",
        when=waits_for_its_processor,
        find=left_pending,
        perform=ask_processor,
        record=keep_answer,
    ),
    needs=("database", "gateway"),
    refusals=(
        FolioUnknown,
        PaymentUnknown,
        FolioAlreadyClosed,
        CurrenciesDiffer,
        AmountNotPositive,
        RefundExceedsPayment,
        RefundOfMovedMoney,
        RefundReferenceMissing,
        NoOpenCashSession,
        CompanyAccountNotActive,
        InvoiceWrittenOff,
        CreditsOutOfRange,
    ),
)
def refund_payment(request: RefundPayment, tx: Transaction) -> RefundAnswer:
    """Give back a part of a payment, or all that is left of it, and answer the balance it leaves.

    Refuses: FolioUnknown, PaymentUnknown, FolioAlreadyClosed, CurrenciesDiffer, AmountNotPositive,
    RefundExceedsPayment, RefundOfMovedMoney, RefundReferenceMissing, NoOpenCashSession,
    CompanyAccountNotActive, InvoiceWrittenOff, CreditsOutOfRange.
    """
    folio, payment, standing = tx.refunds.take_payment(request.folio_id, request.payment_id)
    is_cash = payment.method is PaymentMethod.CASH
    place, named = folio.property_id, request.cash_session_id
    session = tx.cash_sessions.take_to_pay(place, named) if is_cash else None
    recorded = give_back(
        folio,
        payment,
        request.amount,
        standing,
        tx,
        id=request.id,
        reason=request.reason,
        confirmed=confirmed(tx),
        reference=request.reference,
        cash_session_id=session.id if session else None,
    )
    give_back_debt(tx, recorded.payment, recorded.refund)
    restore_credits(tx, recorded.payment, recorded.refund)
    tx.folios.keep(folio)
    tx.refunds.keep(recorded.refund, recorded.payment)
    tx.ledger.post(recorded)
    tx.tell(recorded)
    return RefundAnswer.of(recorded)
