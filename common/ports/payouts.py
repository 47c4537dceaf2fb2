"""Payouts: what is asked of the processor, and where they are kept."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from common.domain.identifiers import PayoutId, PropertyId
    from common.domain.money import Currency, Money
    from common.domain.payout import Payout
    from common.domain.payout_account import PayoutAccount
    from common.ports.answers import Answer
    from common.ports.paging import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPayout:
    """A payout that the processor is to make."""

    id: PayoutId
    tenant_id: UUID
    processor_account_id: str
    amount: Money


class PayingOut(Protocol):
    """The processor, as payouts see it. The same one is made at most once, however often it is
    asked for."""

    def pay_out(self, wanted: PendingPayout) -> Answer:
        """Pay an account what is held for it; the payout's id is the idempotency key.

        Raises ValueError where the key was used for something else.
        """

    def ask_payout(self, wanted: PendingPayout) -> Answer | None:
        """What became of a payout: Unknown while it runs, None where nobody knows of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutFilter:
    """Which payouts a list holds; None asks nothing."""

    property_id: PropertyId | None = None
    status: str | None = None


class Payouts(Protocol):
    """A tenant's account at the processor, and its payouts. Another property's is unknown here."""

    def find_account(self) -> PayoutAccount | None:
        """Lock the tenant's account, if one is connected."""

    def get_account(self) -> PayoutAccount:
        """The account as it is. Refuses: PayoutAccountUnknown."""

    def take_held(
        self, property_id: PropertyId, currency: Currency
    ) -> tuple[PayoutAccount | None, Money, Money]:
        """Lock the tenant's account, and then read what the processor holds of a property, and what
        the actor has asked for of late without another person, in dollars: nobody else promises
        any of it meanwhile."""

    def take(self, payout_id: PayoutId) -> Payout:
        """Lock a payout. Refuses: PayoutUnknown."""

    def get(self, payout_id: PayoutId) -> Payout:
        """A payout as it is. Refuses: PayoutUnknown."""

    def find_pending(self, payout_id: PayoutId) -> PendingPayout | None:
        """What the processor is to be asked; None once it is settled."""

    def due(self, limit: int) -> Sequence[PayoutId]:
        """Pending payouts whose last attempt is old, the longest waiting first."""

    def page(self, which: PayoutFilter, limit: int, cursor: str | None) -> Page[Payout]:
        """Payouts in the order of their asking. Refuses: CursorInvalid."""

    def keep_account(self, account: PayoutAccount) -> None:
        """Write the account, which is nobody else's. Refuses, at the commit: PayoutAccountTaken."""

    def keep(self, payout: Payout) -> None:
        """Write a payout; one that became pending waits, one that is settled waits no longer."""

    def postpone(self, payout_id: PayoutId) -> None:
        """Try again later, after a pause that grows with each attempt."""
