"""A purchase of credits is paid once, and its credits are granted once (CRD-3, CRD-5, GW-5).

That the processor is asked is committed before it is asked, under the purchase's own id. Its word
comes as an answer, by its event, to a job or with a refund, and whoever hears it first locks the
purchase, grants its credits and books its money in one transaction. The next one finds it paid.
"""

from typing import Final

from common.domain.auto_top_up import AutoTopUp
from common.domain.credit_purchase import CreditPurchase
from common.domain.credit_sales import returned, sold, taken_back
from common.domain.identifiers import CreditLotId
from common.domain.money import Money
from common.domain.processor_payment import Heard, PaymentStatus
from common.domain.stored_method import PaymentMethodErased
from common.domain.webhook import WebhookContradictsBooks
from common.ports.cards import NotThere
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.ports.transactions import TryAgain
from common.procedures.asking import Asked, Collecting, ask_what_became_of_it, take_from_card
from common.procedures.granting import (
    give_back_what_is_not_gone,
    grant_once,
    take_back_of_grant,
)

MISSED: Final = "Its money went back while its credits were with a dispute"


def settle(asked: Collecting, powers: Powers) -> Asked:
    """Ask the processor what became of a purchase. One that a job asks for brings its key: of that
    it takes the payment where it knows of none, under the same id."""
    if asked.key is None:
        return ask_what_became_of_it(asked, powers)
    try:
        return take_from_card(asked, powers)
    except PaymentMethodErased:
        code = PaymentMethodErased.code.lower()
        failed = Heard(processor_payment_id=None, status=PaymentStatus.FAILED, failure_code=code)
        return Asked(asked, failed)


def keep_answer(asked: Asked, tx: Transaction) -> CreditPurchase:
    """Keep what the processor said, unless something later is known; answer what is known then.

    What has no answer waits longer; what never arrived is given up after a while. Refuses:
    CreditPurchaseUnknown, WebhookContradictsBooks, CreditsOutOfRange.
    """
    purchase = tx.credit_purchases.take(asked.collecting.order.id)
    if isinstance(asked.answer, Heard):
        keep_heard(purchase, asked.answer, tx)
    elif isinstance(asked.answer, NotThere) and (lost := purchase.give_up(tx)):
        tx.credit_purchases.keep(purchase)
        tx.tell(lost)
        _settle_top_up(purchase, tx)
    if purchase.waits:
        tx.credit_purchases.postpone(purchase.id)
    return purchase


def keep_heard(purchase: CreditPurchase, heard: Heard, tx: Transaction) -> None:
    """Move a purchase on to what is heard of it, unless that is known; it is locked.

    One that was paid is granted and booked by the same commit. Refuses: WebhookContradictsBooks,
    CreditsOutOfRange.
    """
    if purchase.processor_payment_id not in (None, heard.processor_payment_id):
        raise WebhookContradictsBooks("The payment is another one at the processor.")
    if not purchase.may_hear(heard):
        return
    is_paid = heard.status is PaymentStatus.SUCCEEDED
    if is_paid and heard.received not in (None, purchase.amount):
        raise WebhookContradictsBooks("Another amount was taken than was asked for.")
    fact = purchase.hear(heard, tx)
    tx.credit_purchases.keep(purchase)
    tx.tell(fact)
    if is_paid:
        if purchase.is_asked_for_by_a_job:
            tx.auto_top_ups.foresee(purchase.account_id)
        grant_bought(purchase, tx)
        tx.credit_purchases.book(purchase, sold(purchase.grant_key, purchase.amount))
    _settle_top_up(purchase, tx)


def grant_bought(purchase: CreditPurchase, tx: Transaction) -> bool:
    """Grant what was paid for, whatever the limits say by now; whether nobody had.

    Refuses: CreditsOutOfRange.
    """
    wanted = purchase.grant(tx.new_id(CreditLotId))
    return grant_once(tx, purchase.account, wanted) is not None


def credits_of_payment_taken_back(
    processor_payment_id: str, money: Money, source_key: str, reason: str, tx: Transaction
) -> bool:
    """Take back what so much of a purchase's money has bought, once for a refund or dispute.

    `source_key` names that: `refund:<id>` or `dispute:<id>`. Of several that take back parts each
    takes what is missing for all of them together, so that nothing is lost in rounding; and never
    more than was granted. Answers False where the payment bought no credits. Refuses:
    CurrenciesDiffer, CreditsOutOfRange.
    """
    purchase = tx.credit_purchases.find_paid_by(processor_payment_id)
    if purchase is None:
        return False
    _must_be_paid(purchase)
    if tx.credit_purchases.booked(source_key)[0] is not None:
        return True
    so_far = tx.credit_purchases.taken_back(purchase) + money
    tx.credit_purchases.book(purchase, taken_back(source_key, money))
    due = purchase.credits_for(so_far)
    take_back_of_grant(tx, purchase.grant_key, source_key, due, reason)
    return True


def credits_of_payment_returned(
    processor_payment_id: str, money: Money, source_key: str, reason: str, tx: Transaction
) -> bool:
    """Give back what was taken for a dispute that is won, or for a refund that failed, once. One
    that was over before anybody heard of it is booked there and back and takes nothing, whatever is
    told of it later. What other refunds have asked for meanwhile stays taken. Answers False where
    the payment bought no credits. Refuses: CreditsOutOfRange.
    """
    purchase = tx.credit_purchases.find_paid_by(processor_payment_id)
    if purchase is None:
        return False
    _must_be_paid(purchase)
    gone, back = tx.credit_purchases.booked(source_key)
    if back is not None:
        return True
    still_gone = tx.credit_purchases.taken_back(purchase)
    if gone is None:
        tx.credit_purchases.book(purchase, taken_back(source_key, money))
    else:
        still_gone -= gone
    tx.credit_purchases.book(purchase, returned(source_key, gone or money))
    give_back_what_is_not_gone(
        tx, purchase.grant_key, source_key, still_gone, purchase.amount, reason
    )
    return True


def take_back_missing(purchase: CreditPurchase, tx: Transaction) -> None:
    """Take the credits back that a refund found taken by a dispute which was then won."""
    source_key = tx.credit_purchases.untaken(purchase)
    if source_key is not None:
        due = purchase.credits_for(tx.credit_purchases.taken_back(purchase))
        take_back_of_grant(tx, purchase.grant_key, source_key, due, MISSED)


def _must_be_paid(purchase: CreditPurchase) -> None:
    """Money that goes back has come before, and whoever says so is under way: come again then.

    Raises TryAgain.
    """
    if not purchase.is_paid:
        raise TryAgain("what went back has not been heard to come")


def _settle_top_up(purchase: CreditPurchase, tx: Transaction) -> None:
    """Let what fills an account up know that a top-up was paid, or was not."""
    if not purchase.is_asked_for_by_a_job or purchase.waits:
        return
    top_up: AutoTopUp | None = tx.auto_top_ups.find(purchase.account_id)
    if top_up is None:
        return
    fact = (
        top_up.paid()
        if purchase.is_paid
        else top_up.failed(purchase.failure_code or purchase.status.value, tx)
    )
    if fact is not None:
        tx.auto_top_ups.keep(top_up)
        tx.tell(fact)
