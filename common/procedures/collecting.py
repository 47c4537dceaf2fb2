"""What the processor said of a guest's payment is kept, by whoever hears it first (GW-3, GW-5)."""

from common.domain.folio import Folio, FolioStatus
from common.domain.payment import Payment, PaymentMethod
from common.domain.payment_intent import PaymentIntent
from common.domain.processor_payment import Heard, PaymentStatus
from common.domain.webhook import WebhookContradictsBooks
from common.ports.cards import NotThere
from common.ports.payments import Placing
from common.ports.transaction import Transaction
from common.procedures.asking import Asked
from common.procedures.capturing import return_unwanted
from common.procedures.paying import take_payment
from common.procedures.returning import send_back


def keep_answer(asked: Asked, tx: Transaction) -> PaymentIntent:
    """Keep what the processor said, unless something later is known; answer what is known then.

    What has no answer waits longer; what never arrived is given up after a while. Money of a folio
    that was closed meanwhile goes back; a deposit is put on it once it is open. Refuses:
    PaymentIntentUnknown,
    WebhookContradictsBooks.
    """
    heard = asked.answer if isinstance(asked.answer, Heard) else None
    folio, intent, placing = tx.payment_intents.take_with_payment(
        asked.collecting.order.id, heard.processor_payment_id if heard else None
    )
    if heard is not None:
        keep_heard(folio, intent, heard, tx, placing)
    elif intent.is_unplaced:
        place(folio, intent, tx)
    elif isinstance(asked.answer, NotThere) and (lost := intent.give_up(tx)):
        tx.payment_intents.keep(intent)
        tx.tell(lost)
    if intent.waits:
        tx.payment_intents.postpone(intent.id)
    return intent


def keep_heard(
    folio: Folio,
    intent: PaymentIntent,
    heard: Heard,
    tx: Transaction,
    placing: Placing | None = None,
) -> None:
    """Move an intent on to what is heard of it, unless that is known; both are locked. `placing` is
    what was read behind their locks already.

    Refuses: WebhookContradictsBooks.
    """
    if intent.processor_payment_id not in (None, heard.processor_payment_id):
        raise WebhookContradictsBooks("The payment is another one at the processor.")
    if not intent.may_hear(heard):
        return
    is_paid = heard.status is PaymentStatus.SUCCEEDED
    if is_paid and heard.received not in (None, intent.amount):
        raise WebhookContradictsBooks("Another amount was taken than was asked for.")
    paid_as = heard.processor_payment_id
    found = _found(paid_as, placing, tx) if is_paid else None
    payment = _placed(folio, intent, paid_as, found, tx)
    fact = intent.hear(heard, payment, tx)
    tx.payment_intents.keep(intent)
    tx.tell(fact)
    _let_go_back(folio, intent, found, tx)


def place(folio: Folio, intent: PaymentIntent, tx: Transaction) -> None:
    """Put a payment that has succeeded on its folio, if that is open again; while it is closed, let
    it go back, unless it was wanted as a deposit."""
    found = _found(intent.processor_payment_id, None, tx)
    payment = _placed(folio, intent, intent.processor_payment_id, found, tx)
    if payment is not None:
        placed = intent.place(payment, tx)
        tx.payment_intents.keep(intent)
        tx.tell(placed)
    _let_go_back(folio, intent, found, tx)


def _found(
    processor_payment_id: str | None, placing: Placing | None, tx: Transaction
) -> Placing | None:
    """What is known of money that has come; None where the processor names no payment."""
    if placing is not None or processor_payment_id is None:
        return placing
    payment, returned = tx.returned_payments.look_for(processor_payment_id)
    return Placing(payment, None, returned)


def _let_go_back(
    folio: Folio, intent: PaymentIntent, found: Placing | None, tx: Transaction
) -> None:
    """Of a closed folio the money goes back that was not wanted as a deposit; as what it does so
    already, where somebody else has told of it."""
    if found is None or not intent.is_unplaced or intent.processor_payment_id is None:
        return
    returned = found.returned
    if returned is None and not intent.allow_credit:
        returned = send_back(folio, intent.amount, intent.processor_payment_id, tx)
    if returned is not None:
        fact = intent.send_back(returned.id, tx)
        tx.payment_intents.keep(intent)
        tx.tell(fact)


def _placed(
    folio: Folio,
    intent: PaymentIntent,
    processor_payment_id: str | None,
    placing: Placing | None,
    tx: Transaction,
) -> Payment | None:
    """The payment on the folio, whoever has recorded it; None while the folio is closed, and of
    what goes back."""
    if processor_payment_id is None or placing is None:
        return None
    if placing.payment or placing.returned or folio.status is FolioStatus.CLOSED:
        return placing.payment
    method = placing.method
    if method is None and intent.method_id:
        method = tx.stored_methods.get(intent.method_id)
    recorded = take_payment(
        tx,
        folio,
        intent.amount,
        PaymentMethod.CARD,
        processor_payment_id=processor_payment_id,
        method_token_digest=method.sealed.digest.hex() if method else None,
        allow_credit=True,
    )
    if not intent.allow_credit:
        return_unwanted(folio, recorded.payment, tx)
    return recorded.payment
