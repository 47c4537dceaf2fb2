"""A payment is weighed before anybody is asked for it: taken, challenged, held back or refused.

It is weighed as it is made, when no card is known, and as it is confirmed. One that is confirmed
again from the same card, because the processor could not be asked, is no further attempt: it is
what it was found to be.
"""

from dataclasses import replace
from typing import Any

from common.domain.folio import Folio
from common.domain.payment_intent import IntentConfirmed, PaymentIntent
from common.domain.refusal import Refusal
from common.domain.review import Review, SubjectKind
from common.domain.risk import Attempt, Course, PaymentRefused, Stage, Weighed, weigh
from common.domain.stored_method import StoredMethod
from common.ports.risk import Known
from common.ports.transaction import Transaction


def weigh_as_made(intent: PaymentIntent, tx: Transaction) -> None:
    """Weigh a payment that is made out. Refuses: PaymentRefused."""
    attempt = Attempt(
        stage=Stage.MADE,
        intent_id=intent.id,
        customer_id=intent.customer_id,
        amount=intent.amount,
        origins=tx.origins,
    )
    _weighed(attempt, _look(attempt, tx), tx)


def confirm_weighed(
    folio: Folio, intent: PaymentIntent, method: StoredMethod | None, tx: Transaction
) -> IntentConfirmed | None:
    """Ask for a payment from now on, unless a person is to look at it first.

    None where nobody is asked: it waits for a person, or was asked for before. Refuses:
    PaymentRefused, and what confirming refuses.
    """
    if intent.is_held:
        return _confirm_held(folio, intent, method, tx)
    if method is None or not intent.is_unasked:
        return intent.confirm(folio, method, tx)
    attempt = Attempt(
        stage=Stage.CONFIRMED,
        intent_id=intent.id,
        customer_id=intent.customer_id,
        amount=intent.amount,
        method_id=method.id,
        fingerprint=method.details.fingerprint,
        origins=tx.origins,
    )
    known = _look(attempt, tx)
    weighed = known.earlier or _weighed(attempt, known, tx)
    if weighed.course is Course.REVIEW:
        _hold(folio, intent, method, weighed, known, tx)
        return None
    return intent.confirm(folio, method, tx, is_challenged=weighed.is_challenged)


def _confirm_held(
    folio: Folio, intent: PaymentIntent, named: StoredMethod | None, tx: Transaction
) -> IntentConfirmed | None:
    """Ask for a payment that waits for a person, if that has approved it; None where not.

    Refuses: PaymentMethodDiffers, PaymentMethodRemoved, FolioAlreadyClosed.
    """
    if intent.review_id is None or intent.method_id is None:
        raise ValueError(f"{intent.id} waits for nobody")
    method = named or tx.stored_methods.get(intent.method_id)
    if method.id != intent.method_id or not tx.reviews.get(intent.review_id).is_approved:
        return intent.confirm(folio, method, tx)
    return intent.confirm(folio, method, tx, is_challenged=intent.is_challenged, is_approved=True)


def note_refused(_request: Any, tx: Transaction, refused: Refusal) -> None:
    """Write down what a refused payment was found to be, after it has left nothing behind."""
    if not isinstance(refused, PaymentRefused):
        raise TypeError("only a payment that was refused is noted here")
    if refused.attempt is not None and refused.weighed is not None:
        tx.risk_checks.keep(refused.attempt, refused.weighed)
    record = tx.incidents.take(tx.actor.sub)
    tx.tell(record.refused(f"MELMASTOON.{refused.area}.{refused.code}"))


def _look(attempt: Attempt, tx: Transaction) -> Known:
    return tx.risk_checks.look(attempt, tx.settings.risk.at(attempt.stage))


def _weighed(attempt: Attempt, known: Known, tx: Transaction) -> Weighed:
    """What an attempt is found to be, written down. Refuses: PaymentRefused."""
    settings = tx.settings
    weighed = weigh(settings.risk, attempt, known.past, known.advised_ppm, settings.fx_rates)
    if weighed.course is Course.REFUSE:
        came_to_be = attempt.stage is Stage.CONFIRMED
        raise PaymentRefused(attempt if came_to_be else replace(attempt, intent_id=None), weighed)
    tx.risk_checks.keep(attempt, weighed)
    return weighed


def _hold(
    folio: Folio,
    intent: PaymentIntent,
    method: StoredMethod,
    weighed: Weighed,
    known: Known,
    tx: Transaction,
) -> None:
    """Let a payment wait for a person."""
    asker = tx.actor.sub
    opened = Review.open(
        property_id=intent.property_id,
        subject=(SubjectKind.PAYMENT_INTENT, intent.id),
        amount=intent.amount,
        weighed=weighed,
        requested_by=asker,
        prepared_by=known.prepared_by or asker,
        moment=tx,
    )
    held = intent.hold(folio, method, opened.subject.id, tx, is_challenged=weighed.is_challenged)
    tx.reviews.keep(opened.subject)
    tx.payment_intents.keep(intent)
    tx.tell(opened)
    tx.tell(held)
