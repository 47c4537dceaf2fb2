"""A binding quote for a change of a subscription (BEY-5).

A quote says what binds: the subscription and its version, the change that was asked for, the second
that it takes effect at, and what it comes to, which are the terms, every line, the tax, the total,
what is set off against which invoice, and the credit. It leaves the house signed
(`common.ports.quotes`), so that nobody has another one than we gave. It is charged to the micro
unit or not at all: the change is reckoned once more at the quote's own second, by the same rule,
and what comes out is what the quote says, or nothing changes.
So even who had the key could have nothing charged that the books would not have come to.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from common.domain.canonical import canonical
from common.domain.dataclass import dataclass
from common.domain.identifiers import SubscriptionId
from common.domain.period import second_of, seconds_between
from common.domain.refusal import Conflict, Malformed
from common.domain.subscription import Subscription, SubscriptionChanged

LASTS_SECONDS: Final = 900
Document = Mapping[str, Any]


class QuoteInvalid(Malformed):
    code = "QUOTE_INVALID"
    title = "This is no quote of ours"


class QuoteExpired(Conflict):
    code = "QUOTE_EXPIRED"
    title = "The quote has expired: ask for another one"


class QuoteDiffers(Conflict):
    code = "QUOTE_DIFFERS"
    title = "The quote is for another change than the one that is asked for"


class QuoteStale(Conflict):
    code = "QUOTE_STALE"
    title = "The subscription, or what it costs, is not what was quoted for: ask again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What was quoted at the second `as_of`, for `asked`, of a subscription in `version`.

    `outcome` is what it came to, as `outcome_of` writes it.
    """

    subscription_id: SubscriptionId
    version: int
    as_of: datetime
    asked: Document
    outcome: Document

    @property
    def expires_at(self) -> datetime:
        """It binds before this second, and no longer."""
        return self.as_of + timedelta(seconds=LASTS_SECONDS)

    def claims(self) -> dict[str, object]:
        """What the token says; times in seconds since 1970 (RFC 7519)."""
        return {
            "sub": str(self.subscription_id),
            "version": self.version,
            "iat": int(self.as_of.timestamp()),
            "exp": int(self.expires_at.timestamp()),
            "asked": self.asked,
            "outcome": self.outcome,
        }

    @classmethod
    def of(cls, claims: Document) -> "Quote":
        """The quote that a token of ours says. Refuses: QuoteInvalid."""
        try:
            quote = cls(
                subscription_id=SubscriptionId(claims["sub"]),
                version=claims["version"],
                as_of=datetime.fromtimestamp(claims["iat"], UTC),
                asked=claims["asked"],
                outcome=claims["outcome"],
            )
            is_ours = _same(quote.claims(), claims)  # and not meant to last longer, say
        except (KeyError, TypeError, ValueError, OverflowError):
            is_ours = False
        if not is_ours:
            raise QuoteInvalid()
        return quote

    def moment(self, subscription: Subscription, asked: Document, now: datetime) -> datetime:
        """The second to reckon the change at. Refuses: QuoteExpired, QuoteDiffers, QuoteStale."""
        age = seconds_between(self.as_of, second_of(now))
        if not 0 <= age < LASTS_SECONDS:
            raise QuoteExpired()
        if self.subscription_id != subscription.id or not _same(self.asked, asked):
            raise QuoteDiffers()
        segments = subscription.segments  # none in a trial: it is as it was from its beginning
        began = segments[-1].left_seconds if segments else subscription.period_seconds
        left = seconds_between(self.as_of, subscription.period.end)
        if self.version != subscription.version or left > began:
            raise QuoteStale()
        return self.as_of

    def must_be(self, changed: SubscriptionChanged) -> None:
        """Refuses what came out otherwise: QuoteStale."""
        if not _same(outcome_of(changed), self.outcome):
            raise QuoteStale()


def quote_of(changed: SubscriptionChanged, asked: Document, version: int, now: datetime) -> Quote:
    """The quote of a change that was tried on a copy of `version`."""
    return Quote(
        subscription_id=changed.subject.id,
        version=version,
        as_of=second_of(now),
        asked=asked,
        outcome=outcome_of(changed),
    )


def outcome_of(changed: SubscriptionChanged) -> dict[str, object]:
    """What a change comes to: the terms that it leaves, every line of its invoice, how that is
    taxed, what is due, what is set off against which invoice, and the credit that is left."""
    subscription, bill = changed.subject, changed.bill
    later = subscription.next_terms
    set_off = [each.document() for each in bill.set_off] if bill else []
    return {
        **({"setOff": set_off} if set_off else {}),
        "terms": subscription.terms.document(),
        "nextTerms": later and later.document(),
        "lines": [line.document() for line in bill.lines] if bill else None,
        "tax": bill.taxed.document() if bill else None,
        "taxMicro": bill.tax.amount_micro if bill else None,
        "totalMicro": bill.total.amount_micro if bill else None,
        "dueMicro": bill.due.amount_micro if bill else None,
        "creditMicro": subscription.credit.amount_micro,
    }


def _same(one: Document, other: Document) -> bool:
    """Whether two documents are the same, whatever their types of text and of lists are."""
    return canonical(one) == canonical(other)
