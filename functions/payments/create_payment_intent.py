"""Write down what is to be taken from a customer's card for a folio; nobody is charged yet.

What the folio could not take is refused here, before any money moves: a closed folio, a currency
without a rate, more than is owed where that is not meant as a deposit, and what is tried too often
(FRD-1), which is not told why.
"""

from common.contracts.fields import Payable
from common.contracts.payments import PaymentIntentView
from common.contracts.references import CustomerRef, FolioRef, PaymentIntentRef
from common.contracts.shapes import Request
from common.domain.customer import CustomerUnknown
from common.domain.folio import FolioAlreadyClosed, FolioUnknown, Overpayment
from common.domain.fx import FxRateMissing
from common.domain.identifiers import PaymentIntentId
from common.domain.money import AmountNotPositive
from common.domain.payment_intent import PaymentIntent
from common.domain.risk import PaymentRefused
from common.ports.transaction import Transaction
from common.ports.transactions import IdConflict
from common.procedures.weighing import note_refused, weigh_as_made
from common.runtime.declaration import RateLimit, http_function


class CreatePaymentIntent(Request):
    """How much, from whom, for which folio; `allowCredit` takes more than is owed, as a deposit."""

    id: PaymentIntentRef | None = None
    folio_id: FolioRef
    customer_id: CustomerRef
    amount: Payable
    allow_credit: bool = False


@http_function(
    "POST",
    "/payments/intent",
    scope="billing.payment.write",
    status=201,
    moves_money=True,
    creates=True,
    limits=(RateLimit(quota=10, window_seconds=60),),
    refusals=(
        FolioUnknown,
        CustomerUnknown,
        FolioAlreadyClosed,
        AmountNotPositive,
        FxRateMissing,
        Overpayment,
        PaymentRefused,
    ),
    after_refusal={PaymentRefused: note_refused},
    needs=("database", "origins"),
)
def create_payment_intent(request: CreatePaymentIntent, tx: Transaction) -> PaymentIntentView:
    """Write a payment down that is to be taken, and answer it.

    Refuses: FolioUnknown, CustomerUnknown, FolioAlreadyClosed, AmountNotPositive, FxRateMissing,
    Overpayment, PaymentRefused.
    """
    if request.id is not None:
        tx.payment_intents.foresee_other(request.id)
    folio, customer = tx.payment_intents.get_parties(request.folio_id, request.customer_id)
    if request.id is not None and tx.payment_intents.is_others(request.id):
        raise IdConflict()
    made = PaymentIntent.make(
        folio,
        id=request.id or tx.new_id(PaymentIntentId),
        customer_id=customer.id,
        amount=request.amount,
        allow_credit=request.allow_credit,
        moment=tx,
    )
    weigh_as_made(made.subject, tx)
    tx.payment_intents.keep(made.subject)
    tx.tell(made)
    return PaymentIntentView.of(made.subject)
