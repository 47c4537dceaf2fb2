"""A binding quote for a change of a subscription (BEY-5).

A quote names the second that it was reckoned at, the state of the subscription that it was reckoned
from, and the SHA-256 of what it came to. Nothing in it is believed: the change is reckoned again at
that second, from the same state, and what comes out is what was quoted, or nothing is changed. So a
quote needs no secret, and charged less quoted is nought whenever anything is charged.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from common.domain.canonical import digest
from common.domain.period import second_of, seconds_between
from common.domain.refusal import Conflict
from common.domain.subscription import Subscription, SubscriptionChanged

LASTS_SECONDS: Final = 900


class QuoteStale(Conflict):
    code = "QUOTE_STALE"
    title = "The quote is too old, or the subscription is not what was quoted for: ask again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Reckoned at the second `as_of`, from `version` of a subscription; `sha256` in hex."""

    as_of: datetime
    version: int
    sha256: str

    def moment(self, subscription: Subscription, now: datetime) -> datetime:
        """The second to reckon at. Refuses: QuoteStale."""
        age = seconds_between(self.as_of, second_of(now))
        segments = subscription.segments  # none in a trial: it is as it was from its beginning
        began = segments[-1].left_seconds if segments else subscription.period_seconds
        if (
            not 0 <= age <= LASTS_SECONDS
            or self.version != subscription.version
            or seconds_between(self.as_of, subscription.period.end) > began
        ):
            raise QuoteStale()
        return self.as_of

    def must_be(self, changed: SubscriptionChanged) -> None:
        """Refuses what came out otherwise: QuoteStale."""
        if sha256_of(changed) != self.sha256:
            raise QuoteStale()


def quote_of(changed: SubscriptionChanged, version: int, now: datetime) -> Quote:
    """The quote of a change that was tried on a copy of `version`."""
    return Quote(as_of=second_of(now), version=version, sha256=sha256_of(changed))


def sha256_of(changed: SubscriptionChanged) -> str:
    """What a change comes to: the terms that it leaves, every line of its invoice, and
    how that is taxed."""
    subscription, bill = changed.subject, changed.bill
    later = subscription.next_terms
    document = {
        "subscription": subscription.id,
        "terms": subscription.terms.document(),
        "nextTerms": later and later.document(),
        "lines": [line.document() for line in bill.lines] if bill else None,
        "tax": bill.taxed.document() if bill else None,
        "dueMicro": bill.due.amount_micro if bill else None,
        "creditMicro": subscription.credit.amount_micro,
    }
    return digest(document).hex()
