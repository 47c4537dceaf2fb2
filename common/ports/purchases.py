"""Purchases of prepaid credits, their money, and accounts that fill themselves up."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from common.domain.auto_top_up import AutoTopUp
    from common.domain.credit_purchase import CreditPurchase
    from common.domain.credit_sales import SaleEntry
    from common.domain.identifiers import CreditAccountId, PaymentIntentId
    from common.domain.money import Money
    from common.domain.prepaid_reconciliation import PurchaseDifferences


class CreditPurchases(Protocol):
    """Purchases of a tenant. One is locked before the account that it is for."""

    def get(self, purchase_id: PaymentIntentId) -> CreditPurchase:
        """A purchase as it is. Refuses: CreditPurchaseUnknown."""

    def find(self, purchase_id: PaymentIntentId) -> CreditPurchase | None:
        """Lock a purchase, if there is one of this id."""

    def foresee_other(self, payment_id: PaymentIntentId) -> None:
        """Read along whether something else has an id."""

    def is_others(self, payment_id: PaymentIntentId) -> bool:
        """Whether a payment of a folio has this id, or a charge of an invoice of the platform has
        it or may come to have it."""

    def take(self, purchase_id: PaymentIntentId) -> CreditPurchase:
        """Lock a purchase. Refuses: CreditPurchaseUnknown."""

    def find_paid_by(self, processor_payment_id: str) -> CreditPurchase | None:
        """Lock the purchase that a payment of the processor's has paid, if it paid one."""

    def foresee_of_account(self, account_id: CreditAccountId, since: datetime) -> None:
        """Read along with an account what is under way there, and what top-ups bought since."""

    def under_way(self, account_id: CreditAccountId) -> int:
        """How many micro credits are being bought for an account, and may still be paid."""

    def topped_up(self, account_id: CreditAccountId, since: datetime) -> int:
        """How many micro credits top-ups have bought for an account, or still may, since then."""

    def is_topping_up(self, account_id: CreditAccountId) -> bool:
        """Whether a top-up of an account is under way."""

    def due(self, limit: int) -> Sequence[PaymentIntentId]:
        """Purchases of which something has to become, the longest waiting first."""

    def differences(self) -> PurchaseDifferences:
        """Purchases held against grants and against what was booked of their money, in one look."""

    def keep(self, purchase: CreditPurchase) -> None:
        """Write a purchase, or how it has changed; it waits, or waits no longer."""

    def postpone(self, purchase_id: PaymentIntentId) -> None:
        """Ask again later, after a pause that grows with each attempt."""

    def booked(self, source: str) -> tuple[Money | None, Money | None]:
        """What was booked for a refund or a dispute, and what came back of it."""

    def taken_back(self, purchase: CreditPurchase) -> Money:
        """How much of a purchase's money went back, less what has come back of that."""

    def untaken(self, purchase: CreditPurchase) -> str | None:
        """A refund or a dispute that has taken money of a purchase and no credits, if there is one:
        others had taken them before, and gave them back."""

    def book(self, purchase: CreditPurchase, entry: SaleEntry) -> None:
        """Write what moved of a purchase's money, once; and whose the payment is that paid it."""


class AutoTopUps(Protocol):
    """How accounts of credits are filled up by themselves. Locked behind their account."""

    def get(self, account: str) -> AutoTopUp:
        """How an account is filled up. Refuses: AutoTopUpUnknown."""

    def foresee(self, account_id: CreditAccountId) -> None:
        """Lock along with an account how it is filled up."""

    def find(self, account_id: CreditAccountId) -> AutoTopUp | None:
        """Lock how an account is filled up, if it was ever set."""

    def due(self, limit: int) -> Sequence[CreditAccountId]:
        """Accounts that are low and may be filled up now, the longest waiting first."""

    def keep(self, top_up: AutoTopUp) -> None:
        """Write it, or how it has changed."""
