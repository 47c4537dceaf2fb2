"""A payment that a guest made: what was handed over, and what it counted for on the folio.

The two amounts differ only in currency: the folio's rates, pinned when it opened, turn one into the
other, and both are kept. A processor's payment is recorded once, whoever tells us of it first.
"""

from dataclasses import field
from datetime import date
from enum import StrEnum
from typing import Any

from common.domain.advice import Advice
from common.domain.dataclass import dataclass
from common.domain.fx import FxSnapshot
from common.domain.identifiers import (
    CashSessionId,
    CompanyAccountId,
    CreditAccountId,
    FolioId,
    PaymentId,
)
from common.domain.money import AmountNotPositive, Money
from common.domain.refusal import Conflict, Unmet


class PaymentAlreadyRecorded(Conflict):
    code = "PAYMENT_ALREADY_RECORDED"
    title = "This payment of the processor is on a folio already"


class PaymentUnderWay(Conflict):
    """Which payment that is, and until when nobody else collects the debt, stand beside."""

    code = "PAYMENT_UNDER_WAY"
    title = "A payment of this debt is under way at the processor"


class ProcessorPaymentMissing(Unmet):
    code = "PROCESSOR_PAYMENT_MISSING"
    title = "A card payment names the processor's payment"


class NoOpenCashSession(Conflict):
    code = "NO_OPEN_CASH_SESSION"
    title = "Cash needs an open drawer session at the property"


class CompanyAccountMissing(Unmet):
    code = "COMPANY_ACCOUNT_MISSING"
    title = "What a company settles later names the company's account"


class CreditAccountMissing(Unmet):
    code = "CREDIT_ACCOUNT_MISSING"
    title = "A payment in credits names the account that they are taken of"


class PaymentMethod(StrEnum):
    """How the guest paid."""

    CASH = "cash"
    CARD = "card"
    BANK_TRANSFER = "bank_transfer"
    MOBILE_MONEY = "mobile_money"
    VOUCHER = "voucher"
    CITY_LEDGER = "city_ledger"  # a company settles later, by invoice
    CREDITS = "credits"  # prepaid credits of an account


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment. `paid` is what was handed over, `amount` what it is worth on the folio.

    Both are more than nothing: what is too little to be worth a minor unit of the folio's currency
    is no payment. Refuses: AmountNotPositive.

    `method_token_digest` is the SHA-256 of the processor's payment method token, in hex: enough to
    recognise it, useless to charge it. `cash_session_id` is the drawer session that cash went into,
    `company_account_id` the account of the company that settles later, `credit_account_id` the
    account of prepaid credits that settled it by so many `credits_micro`: at a whole rate.

    `refunded_paid_micro` of what was handed over, worth `refunded_micro` on the folio, have been
    given back or are promised. `advice` is what was pointed out about it or its folio, as far as
    anybody looked.
    """

    id: PaymentId
    folio_id: FolioId
    method: PaymentMethod
    paid: Money
    amount: Money
    fx: FxSnapshot | None
    business_date: date
    processor_payment_id: str | None = None
    method_token_digest: str | None = None
    reference: str | None = None
    cash_session_id: CashSessionId | None = None
    company_account_id: CompanyAccountId | None = None
    credit_account_id: CreditAccountId | None = None
    credits_micro: int | None = None
    refunded_paid_micro: int = 0
    refunded_micro: int = 0
    advice: tuple[Advice, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if self.paid.amount_micro <= 0 or self.amount.amount_micro <= 0:
            raise AmountNotPositive()

    @classmethod
    def received(cls, **given: Any) -> "Payment":
        """A payment that was handed over.

        Refuses: AmountNotPositive, ProcessorPaymentMissing, NoOpenCashSession,
        CompanyAccountMissing, CreditAccountMissing.
        """
        payment = cls(**given)
        if payment.method is PaymentMethod.CARD and not payment.processor_payment_id:
            raise ProcessorPaymentMissing()
        if payment.method is PaymentMethod.CASH and payment.cash_session_id is None:
            raise NoOpenCashSession()
        if payment.method is PaymentMethod.CITY_LEDGER and payment.company_account_id is None:
            raise CompanyAccountMissing()
        if payment.method is PaymentMethod.CREDITS and payment.credit_account_id is None:
            raise CreditAccountMissing()
        return payment

    @property
    def refunded_paid(self) -> Money:
        """What was given back or is promised, in the currency that was handed over."""
        return Money(self.refunded_paid_micro, self.paid.currency)

    @property
    def refunded(self) -> Money:
        """What that is worth on the folio."""
        return Money(self.refunded_micro, self.amount.currency)

    @property
    def left(self) -> Money:
        """What could still be given back, in the currency that was handed over."""
        return self.paid - self.refunded_paid

    @property
    def kept(self) -> Money:
        """What is left of it is worth on the folio."""
        return self.amount - self.refunded

    @property
    def is_kept(self) -> bool:
        """Whether anything of it was not given back."""
        return not self.left.is_zero

    @property
    def is_foreign(self) -> bool:
        """Whether it was paid in another currency than the folio's."""
        return self.paid.currency != self.amount.currency
