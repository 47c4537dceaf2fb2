"""Taking a payment off a folio: the same lines whether the desk or the processor tells of it."""

from common.domain.folio import Folio, PaymentRecorded
from common.domain.identifiers import CashSessionId, CompanyAccountId, PaymentId
from common.domain.money import Money
from common.domain.payment import Payment, PaymentMethod
from common.domain.stored_method import token_digest
from common.ports.transaction import Transaction
from common.procedures.owing import charge_account
from common.procedures.redeeming import redeem_credits, take_payer


def take_payment(
    tx: Transaction,
    folio: Folio,
    paid: Money,
    method: PaymentMethod,
    *,
    payment_id: PaymentId | None = None,
    processor_payment_id: str | None = None,
    method_token_digest: str | None = None,
    reference: str | None = None,
    cash_session_id: CashSessionId | None = None,
    company_account_id: CompanyAccountId | None = None,
    credit_account: str | None = None,
    allow_credit: bool = False,
    is_listed: bool = False,
) -> PaymentRecorded:
    """Convert what was paid by the folio's rates, record it, book it and tell it.

    Cash goes into the named drawer session, or into the only one that the actor has open at the
    property; the session is taken behind the folio, and stays open until the payment is in. What a
    company settles later is owed by its account from here on; credits are taken of the named one.
    A card's `is_listed` where the processor's payment was known before.

    Refuses: FolioAlreadyClosed, AmountNotPositive, Overpayment, FxRateMissing, NoOpenCashSession,
    ProcessorPaymentMissing, CompanyAccountMissing; CompanyAccountUnknown, CompanyAccountNotActive,
    CurrenciesDiffer and CreditLimitExceeded of what a company settles; CreditAccountMissing,
    CreditSpendingForbidden, CurrenciesDiffer, CreditAccountUnknown and InsufficientCredits of what
    credits do.
    """
    is_cash, is_debt = method is PaymentMethod.CASH, method is PaymentMethod.CITY_LEDGER
    session = tx.cash_sessions.take_to_pay(folio.property_id, cash_session_id) if is_cash else None
    payer = take_payer(tx, credit_account, paid) if method is PaymentMethod.CREDITS else None
    payment = Payment.received(
        id=payment_id or tx.new_id(PaymentId),
        folio_id=folio.id,
        method=method,
        paid=paid,
        amount=folio.convert(paid),
        fx=folio.snapshot_for(paid.currency),
        business_date=tx.settings.property(folio.property_id).business_date(tx.now),
        processor_payment_id=processor_payment_id,
        method_token_digest=method_token_digest,
        reference=reference,
        cash_session_id=session.id if session else None,
        company_account_id=company_account_id if is_debt else None,
        credit_account_id=payer.account.id if payer else None,
        credits_micro=payer.credits_micro if payer else None,
    )
    recorded = folio.record_payment(payment, tx, allow_credit=allow_credit)
    if is_debt:
        charge_account(tx, folio, payment)
    if payer:
        redeem_credits(tx, payer, payment)
    tx.folios.keep(folio)
    tx.folios.keep_payment(payment, is_listed=is_listed)
    tx.ledger.post(recorded)
    tx.tell(recorded)
    return recorded


def digest_of(token: str | None) -> str | None:
    """Enough of the processor's token to recognise it, useless to charge it."""
    return token_digest(token).hex() if token else None
