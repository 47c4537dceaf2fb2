"""Record what a company paid, and allocate it to what it owes.

What is due first is paid first, unless the allocations are given; what none of them takes stays to
the account's credit. Cash goes into an open drawer session, a card names the processor's payment,
which is recorded once.
"""

from typing import Literal

from common.contracts.company_accounts import CompanyPaymentAnswer, Shares
from common.contracts.fields import FreeText, Payable, Token
from common.contracts.references import CashSessionRef, CompanyAccountRef, ReceiptRef
from common.contracts.shapes import Request
from common.domain.company_account import CompanyAccountNotActive, CompanyAccountUnknown
from common.domain.company_settling import receive
from common.domain.identifiers import ReceiptId
from common.domain.money import AmountNotPositive, CurrenciesDiffer
from common.domain.payment import (
    NoOpenCashSession,
    PaymentAlreadyRecorded,
    ProcessorPaymentMissing,
)
from common.domain.receivable import (
    CreditExceeded,
    CreditKind,
    ReceivableExceeded,
    ReceivableUnknown,
)
from common.ports.transaction import Transaction
from common.runtime.declaration import RateLimit, http_function


class RecordCompanyPayment(Request):
    """What came in, in the account's currency, and what it is for.

    `cashSessionId` says into which drawer cash goes: the caller's own, unless it is given.
    """

    account_id: CompanyAccountRef
    id: ReceiptRef | None = None
    method: Literal["cash", "card", "bank_transfer", "mobile_money"]
    amount: Payable
    payment_id: Token | None = None
    reference: FreeText | None = None
    cash_session_id: CashSessionRef | None = None
    allocations: Shares | None = None


@http_function(
    "POST",
    "/company-accounts/{account_id}/payments",
    scope="billing.receivable.write",
    status=201,
    moves_money=True,
    creates=True,
    etag="company_account",
    limits=(RateLimit(quota=10, window_seconds=60),),
    refusals=(
        CompanyAccountUnknown,
        CompanyAccountNotActive,
        CurrenciesDiffer,
        AmountNotPositive,
        NoOpenCashSession,
        ProcessorPaymentMissing,
        PaymentAlreadyRecorded,
        ReceivableUnknown,
        ReceivableExceeded,
        CreditExceeded,
    ),
)
def record_company_payment(request: RecordCompanyPayment, tx: Transaction) -> CompanyPaymentAnswer:
    """Take what a company paid, allocate it, and answer what is left to pay.

    Refuses: CompanyAccountUnknown, CompanyAccountNotActive, CurrenciesDiffer, AmountNotPositive,
    NoOpenCashSession, ProcessorPaymentMissing, PaymentAlreadyRecorded, ReceivableUnknown,
    ReceivableExceeded, CreditExceeded.
    """
    kind, given = CreditKind(request.method), request.allocations
    wanted = None if given is None else tuple(each.share() for each in given)
    named = None if wanted is None else [share.invoice_id for share in wanted]
    account, items = tx.company_accounts.take_with_items(request.account_id, named)
    by_card = request.payment_id if kind is CreditKind.CARD else None
    if by_card is not None and tx.folios.find_paid_by(by_card) is not None:
        raise PaymentAlreadyRecorded()
    is_cash, place = kind is CreditKind.CASH, account.property_id
    session = tx.cash_sessions.take_to_pay(place, request.cash_session_id) if is_cash else None
    received = receive(
        account,
        items,
        request.amount,
        tx,
        id=request.id or tx.new_id(ReceiptId),
        kind=kind,
        wanted=wanted,
        reference=request.reference,
        processor_payment_id=by_card,
        cash_session_id=session.id if session else None,
    )
    tx.company_accounts.keep(account)
    tx.company_accounts.keep_credit(received.credit)
    tx.company_accounts.keep_allocations(received.allocations, received.items)
    tx.ledger.post(received)
    tx.tell(received)
    return CompanyPaymentAnswer.of(received)
