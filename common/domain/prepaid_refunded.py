"""How many credits a part of a purchase's money bought (CRD-5).

Where it is known what the payment came to, the same share of what was granted; else as many as the
money buys by the tenant's terms, which is what it bought unless the terms have changed since.
"""

from dataclasses import dataclass

from common.domain.money import Money
from common.domain.prepaid_terms import CREDIT_MICRO, CreditTerms

MICRO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantSums:
    """Of one grant, in micro credits: what was granted, and what was asked back of it so far."""

    granted_micro: int
    asked_micro: int


def credits_of(money: Money, granted_micro: int, paid: Money | None, terms: CreditTerms) -> int:
    """Micro credits that this much of a purchase bought, rounded down: a debt is never made up.

    Refuses: CurrenciesDiffer, where the payment was in another currency.
    """
    if paid is None:
        return money.amount_micro * terms.per_currency_unit * CREDIT_MICRO // MICRO
    if money >= paid:
        return granted_micro
    return granted_micro * money.amount_micro // paid.amount_micro
