"""Prepaid credits: accounts, what they hold, and what was ever moved on them."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from common.domain.identifiers import CreditAccountId, CreditHoldId, CreditLotId, PaymentId
    from common.domain.prepaid_account import CreditAccount, CreditEntry
    from common.domain.prepaid_claw_back import ClawBack, GrantedCredits
    from common.domain.prepaid_hold import CreditHold
    from common.domain.prepaid_reconciliation import CreditSums
    from common.domain.prepaid_redemption import Redemption
    from common.domain.prepaid_reversal import DebtMove, Reversal
    from common.ports.paging import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditFilter:
    """Which entries a history holds; None asks nothing."""

    account: str
    kind: str | None = None


class Prepaid(Protocol):
    """A tenant's accounts of credits. The main one is always there, others when they get some.

    `take` locks accounts, in the order of their ids, with the lots that have something left and the
    holds that are open.
    """

    def get(self, name: str) -> CreditAccount:
        """An account as it is. Refuses: CreditAccountUnknown."""

    def take(self, name: str) -> CreditAccount:
        """Lock an account. Refuses: CreditAccountUnknown."""

    def take_by_id(self, account_id: CreditAccountId) -> CreditAccount:
        """Lock an account that was found before. Refuses: CreditAccountUnknown."""

    def take_to_grant(self, name: str, source_key: str) -> tuple[CreditAccount, CreditLotId | None]:
        """Lock an account, opening it if need be; and what was granted for this already."""

    def take_both(self, name: str, other: str) -> tuple[CreditAccount, CreditAccount]:
        """Lock two accounts, opening the second if need be. Refuses: CreditAccountUnknown."""

    def take_hold(self, hold_id: CreditHoldId) -> tuple[CreditAccount, CreditHold]:
        """Lock the account of a hold. Refuses: HoldUnknown."""

    def take_granted(
        self, grant_key: str, source_key: str
    ) -> tuple[Sequence[CreditAccount], GrantedCredits, bool]:
        """Lock all accounts, and read what was granted for a key; whether credits were taken back
        for the other one already. Refuses: GrantUnknown."""

    def take_claw_back(self, source_key: str) -> tuple[CreditAccount, ClawBack, Sequence[DebtMove]]:
        """Lock the account of what was taken back, and read all that ever moved its debt, in order.

        Refuses: ClawBackUnknown, ClawBackReversed.
        """

    def take_redeemed(self, payment_id: PaymentId) -> tuple[CreditAccount, Redemption]:
        """Lock the account that settled a payment, and read what it took and has not back."""

    def warned(self, account_id: CreditAccountId) -> frozenset[tuple[str, int]]:
        """The lots of an account whose expiry was warned of, and how many days before."""

    def due(self, limit: int) -> Sequence[CreditAccountId]:
        """Accounts with credits or holds that have ended, or that are to be warned about."""

    def sums(self) -> Sequence[CreditSums]:
        """What each account has, holds and owes by every way that knows it, in one look."""

    def page(self, which: CreditFilter, limit: int, cursor: str | None) -> Page[CreditEntry]:
        """The entries of an account, newest first. Refuses: CreditAccountUnknown, CursorInvalid."""

    def keep(self, account: CreditAccount) -> None:
        """Write an account, and all that moved on it."""

    def keep_claw_back(self, claw_back: ClawBack) -> None:
        """Write what was taken back, once."""

    def keep_reversal(self, reversal: Reversal) -> None:
        """Write what was given back, once."""

    def keep_warning(self, lot_id: CreditLotId, days_before: int) -> None:
        """Write that it was told that a lot expires, once."""
