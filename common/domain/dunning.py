"""What becomes of a subscription whose charge was declined (SUB-7).

The clock begins with the first charge that is declined. The same invoice is charged again so many
days after that (1, 3, 5 and 7, where nothing else was agreed), then the tenant has some days of
grace, and no later than the cap it is suspended. On the last day it is charged once more: nobody is
suspended but right after a charge that was declined, or where there is nothing to charge.

A decline that no waiting will cure (a lost card, a closed account) is not tried again: a new card
is asked for, and the days are the same. While the processor does not answer, or an incident of the
platform is declared, nobody is suspended; whoever should have been is charged once before it.

Everything here is a function of the times: late runs, early runs and second runs decide alike.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from common.domain.dataclass import dataclass

LOOK_AGAIN: Final = timedelta(hours=1)
"""How long somebody waits whom only an outage or an incident keeps from being suspended."""
METHOD_MISSING: Final = "payment_method_missing"
METHOD_FOR_STAYS: Final = "payment_method_for_stays"
AUTHENTICATION: Final = "authentication_required"
TOO_SMALL: Final = "amount_too_small"
"""The processor takes no payment of so little, from whatever card."""
HARD: Final = frozenset(
    {
        METHOD_MISSING,
        METHOD_FOR_STAYS,
        AUTHENTICATION,
        "payment_method_erased",
        "payment_method_removed",
        "payment_method_detached",
        "card_not_supported",
        "do_not_try_again",
        "expired_card",
        "fraudulent",
        "highest_risk_level",
        "incorrect_number",
        "invalid_account",
        "invalid_expiry_year",
        "invalid_number",
        "lost_card",
        "new_account_information_available",
        "pickup_card",
        "resource_missing",
        "restricted_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "stolen_card",
        "stop_payment_order",
        "transaction_not_allowed",
    }
)
"""Declines that the same card will meet for ever, in the processor's words (Stripe's list of
decline codes), and our own where there is no card that could be charged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DunningTerms:
    """Whole days since the first decline: when it is tried again; how long nothing happens then;
    and when it is over in any case."""

    retry_days: tuple[int, ...] = (1, 3, 5, 7)
    grace_days: int = 3
    cap_days: int = 14

    @property
    def lasts(self) -> timedelta:
        """From the first decline to the suspension."""
        return timedelta(days=min(max(self.retry_days, default=0) + self.grace_days, self.cap_days))


class Step(Enum):
    """What is to be done about an invoice that is open."""

    CHARGE = auto()
    WAIT = auto()
    HOLD = auto()
    END = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What keeps everybody from being suspended: `why`, None where nothing does; and when the last
    incident of the platform ended."""

    why: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dunning:
    """How far it has come. `wants_method`: only another card can help. `must_charge`: somebody was
    kept from being suspended, and is charged before that."""

    failing_since: datetime | None = None
    failed_at: datetime | None = None
    failures: int = 0
    wants_method: bool = False
    must_charge: bool = False

    def failed(self, code: str, now: datetime) -> "Dunning":
        """After one more charge that was declined."""
        return Dunning(
            failing_since=self.failing_since or now,
            failed_at=now,
            failures=self.failures + 1,
            wants_method=code in HARD,
        )

    def with_other_method(self) -> "Dunning":
        """A card was given that nobody has tried yet."""
        return replace(self, wants_method=False)

    def held(self) -> "Dunning":
        """It was not ended, though its time was over."""
        return replace(self, must_charge=True)

    def ends_at(self, terms: DunningTerms) -> datetime | None:
        """When its time is over; None while nothing was declined."""
        return self.failing_since and self.failing_since + terms.lasts

    def is_over(self, terms: DunningTerms, now: datetime) -> bool:
        ends_at = self.ends_at(terms)
        return ends_at is not None and now >= ends_at

    def next_at(self, terms: DunningTerms, now: datetime) -> datetime | None:
        """When something is to be done next: never in the past. None once its time is over."""
        ends_at = self.ends_at(terms)
        if self.failing_since is None or ends_at is None or now >= ends_at:
            return None
        retries = () if self.wants_method else sorted(terms.retry_days)
        at = (self.failing_since + timedelta(days=days) for days in retries)
        return next((each for each in at if now < each < ends_at), ends_at)

    def step(self, terms: DunningTerms, held: Held, now: datetime) -> Step:
        """What is to be done now."""
        if not self.is_over(terms, now):
            return Step.WAIT if self.wants_method else Step.CHARGE
        if held.why is not None:
            return Step.HOLD
        if not self.wants_method or self.must_charge or self._missed(held):
            return Step.CHARGE
        return Step.END

    def after_failure(self, terms: DunningTerms, held: Held, now: datetime) -> Step:
        """What is to be done right after a charge that was declined."""
        if not self.is_over(terms, now):
            return Step.WAIT
        return Step.HOLD if held.why is not None else Step.END

    def _missed(self, held: Held) -> bool:
        """Whether there was an incident since it was charged last."""
        ended_at, failed_at = held.ended_at, self.failed_at
        return ended_at is not None and failed_at is not None and ended_at > failed_at
