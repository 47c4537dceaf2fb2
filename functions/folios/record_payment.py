"""Record a payment that a guest made, by card, in cash or otherwise.

A card payment carries the processor's id and is recorded once, whether the desk or the processor's
event comes first. Another currency is converted by the rates that the folio pinned, and both
amounts are kept. Cash goes into an open drawer session, in the currency that was handed over. What
a company settles later is owed by its account from here on, within its credit limit. Prepaid
credits of an account settle in the same transaction, at the rate of the settings; who takes them
for a folio may spend them elsewhere, too (`billing.credits.write`). While the processor collects
the same debt, nothing but what a card's terminal has captured takes it (BEY-4).
"""

from common.contracts.fields import (
    FreeText,
    Payable,
    PaymentToken,
    Token,
    Word,
)
from common.contracts.folios import LinesAnswer
from common.contracts.references import (
    CashSessionRef,
    CompanyAccountRef,
    FolioRef,
    PaymentRef,
)
from common.contracts.shapes import Request
from common.domain.collection_lease import must_leave_to
from common.domain.company_account import (
    CompanyAccountNotActive,
    CompanyAccountUnknown,
    CreditLimitExceeded,
)
from common.domain.folio import FolioAlreadyClosed, FolioUnknown, Overpayment
from common.domain.fx import FxRateMissing
from common.domain.money import AmountNotPositive, CurrenciesDiffer
from common.domain.payment import (
    CompanyAccountMissing,
    CreditAccountMissing,
    NoOpenCashSession,
    PaymentAlreadyRecorded,
    PaymentMethod,
    PaymentUnderWay,
    ProcessorPaymentMissing,
)
from common.domain.prepaid_account import CreditAccountUnknown, InsufficientCredits
from common.domain.prepaid_redemption import CreditSpendingForbidden
from common.ports.transaction import Transaction
from common.procedures.paying import digest_of, take_payment
from common.runtime.declaration import RateLimit, http_function


class RecordPayment(Request):
    """What was handed over. `allowCredit` takes more than is owed, as a deposit.

    `cashSessionId` says into which drawer cash goes: the caller's own, unless it is given.
    `companyAccountId` says who settles later, by `city_ledger`; `creditAccount` names the account
    that pays by `credits`.
    """

    folio_id: FolioRef
    id: PaymentRef | None = None
    method: PaymentMethod
    amount: Payable
    payment_id: Token | None = None
    payment_method_token: PaymentToken | None = None
    reference: FreeText | None = None
    cash_session_id: CashSessionRef | None = None
    company_account_id: CompanyAccountRef | None = None
    credit_account: Word | None = None
    allow_credit: bool = False


@http_function(
    "POST",
    "/folios/{folio_id}/payments",
    scope="billing.folio.write",
    status=201,
    moves_money=True,
    creates=True,
    etag="folio",
    limits=(RateLimit(quota=10, window_seconds=60),),
    refusals=(
        FolioUnknown,
        FolioAlreadyClosed,
        AmountNotPositive,
        Overpayment,
        FxRateMissing,
        NoOpenCashSession,
        ProcessorPaymentMissing,
        PaymentAlreadyRecorded,
        PaymentUnderWay,
        CompanyAccountMissing,
        CompanyAccountUnknown,
        CompanyAccountNotActive,
        CurrenciesDiffer,
        CreditLimitExceeded,
        CreditAccountMissing,
        CreditSpendingForbidden,
        CreditAccountUnknown,
        InsufficientCredits,
    ),
)
def record_payment(request: RecordPayment, tx: Transaction) -> LinesAnswer:
    """Take a payment off the balance and answer what is left.

    Refuses: FolioUnknown, FolioAlreadyClosed, AmountNotPositive, Overpayment, FxRateMissing,
    NoOpenCashSession, ProcessorPaymentMissing, PaymentAlreadyRecorded, PaymentUnderWay,
    CompanyAccountMissing, CompanyAccountUnknown, CompanyAccountNotActive, CurrenciesDiffer,
    CreditLimitExceeded, CreditAccountMissing, CreditSpendingForbidden, CreditAccountUnknown,
    InsufficientCredits.
    """
    folio, lease = tx.collection_leases.take_folio(request.folio_id)
    if request.payment_id is not None and tx.folios.find_paid_by(request.payment_id) is not None:
        raise PaymentAlreadyRecorded()
    must_leave_to(lease, folio, request.method, request.amount, tx)
    recorded = take_payment(
        tx,
        folio,
        request.amount,
        request.method,
        payment_id=request.id,
        processor_payment_id=request.payment_id,
        method_token_digest=digest_of(request.payment_method_token),
        reference=request.reference,
        cash_session_id=request.cash_session_id,
        company_account_id=request.company_account_id,
        credit_account=request.credit_account,
        allow_credit=request.allow_credit,
    )
    return LinesAnswer.of(recorded)
