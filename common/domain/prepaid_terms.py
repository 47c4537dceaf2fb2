"""What a tenant has agreed on about prepaid credits: prices, limits, and what it has for nothing.

Credits are counted in micro credits, a million to a credit, and never in a currency (CRD-2).
"""

from typing import Final

from common.domain.dataclass import dataclass
from common.domain.money import Currency

CREDIT_MICRO: Final = 1_000_000
"""A credit in micro credits."""
CREDITS_MICRO_MAX: Final = 2**53 - 1
"""So that every reader of JSON keeps an amount exactly."""
DOLLAR: Final = Currency("USD")
"""What credits are sold for where nothing else was agreed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditTerms:
    """Limits of purchases and of a balance (CRD-6), and what is metered without a deduction.

    `per_currency_unit` credits are bought for one unit of `currency`. `free_monthly_micro` is used
    in a calendar month (UTC) before anything is deducted, and `unlimited` deducts nothing (CRD-8).
    """

    per_currency_unit: int = 100
    currency: Currency = DOLLAR
    minimum_purchase_micro: int = 500 * CREDIT_MICRO
    maximum_purchase_micro: int = 100_000 * CREDIT_MICRO
    maximum_balance_micro: int = 1_000_000 * CREDIT_MICRO
    free_monthly_micro: int = 0
    unlimited: bool = False
