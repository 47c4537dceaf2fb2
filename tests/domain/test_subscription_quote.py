"""A quote binds: it is ours, it is for this change, and what is charged is what it says (BEY-5)."""

import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from jwt import PyJWS

from common.domain.canonical import canonical
from common.domain.identifiers import SubscriptionId
from common.domain.platform_tax import MEMBER_STATES, CountryRate, TaxedCustomer
from common.domain.refusal import Refusal
from common.domain.subscription import Subscription, change_of
from common.domain.subscription_life import pause, resume
from common.domain.subscription_quote import (
    Quote,
    QuoteDiffers,
    QuoteExpired,
    QuoteInvalid,
    QuoteStale,
    quote_of,
)
from common.domain.subscription_terms import Terms
from common.runtime.quote_tokens import QuoteKeyWeak, QuoteTokens
from tests.domain.test_platform_tax import berlin
from tests.domain.test_subscription import START, begun, terms

pytestmark = pytest.mark.req("BEY-5")

ASKED = {"plan": "team", "seats": 3}
OLD, NEW, STOLEN = "o" * 40, "n" * 40, "s" * 40
LATER = START + timedelta(days=10)


def quoted(subscription: Subscription, wanted: Terms, at: datetime = LATER) -> Quote:
    tried = change_of(copy(subscription), wanted, wanted, at, "why")
    return quote_of(tried, ASKED, subscription.version, at)


def signed(claims: dict[str, Any], key: str = NEW, **header: Any) -> str:
    """A token that says anything, by the names of a key that is in use."""
    head = {"kid": PyJWS().get_unverified_header(sample())["kid"], "typ": "quote+jws", **header}
    return PyJWS().encode(canonical(claims), key.encode(), algorithm="HS256", headers=head)


def sample() -> str:
    return QuoteTokens((NEW, OLD)).token_of(quoted(begun(), terms(9_900)))


def test_a_quote_comes_back_as_it_left_and_says_what_binds() -> None:
    """And may be read by whoever holds it: the bill is in it, not only its hash."""
    subscription = begun()
    quote = quoted(subscription, terms(9_900))
    tokens = QuoteTokens((NEW, OLD))

    back = tokens.read(tokens.token_of(quote))

    assert back.claims() == {
        "sub": subscription.id,
        "version": subscription.version,
        "iat": 1_775_908_800,  # 2026-04-11 12:00 UTC
        "exp": 1_775_909_700,
        "asked": ASKED,
        "outcome": quote.outcome,
    }
    assert [line["amountMicro"] for line in back.outcome["lines"]] == [-19_330_000, 66_000_000]
    assert (back.outcome["totalMicro"], back.outcome["dueMicro"]) == (46_670_000, 46_670_000)


def test_a_key_is_rotated_and_no_quote_is_lost() -> None:
    """First it only proves, then it signs, and a quarter of an hour later the old one goes."""
    quote = quoted(begun(), terms(9_900))
    steps = [QuoteTokens(keys) for keys in ((OLD,), (OLD, NEW), (NEW, OLD), (NEW,))]
    given = [step.token_of(quote) for step in steps]

    for place, step in enumerate(steps):
        for token in given[max(place - 1, 0) : place + 2]:
            assert step.read(token).claims() == quote.claims()
    with pytest.raises(QuoteInvalid):
        steps[-1].read(given[0])
    for weak in ((), ("",), (NEW, "n" * 31)):
        with pytest.raises(QuoteKeyWeak):
            QuoteTokens(weak)


def test_no_token_but_ours_is_a_quote() -> None:
    """Every changed character; another key under our key's name, a name of no key, no algorithm,
    another type, and what our key has signed that is no quote, or one that would bind for longer.
    """
    tokens, token = QuoteTokens((NEW, OLD)), sample()
    claims = dict(tokens.read(token).claims())
    head, body, signature = token.split(".")
    none = urlsafe_b64encode(b'{"alg":"none","typ":"quote+jws"}').decode().rstrip("=")
    forged = [
        *(
            token[:at] + ("A" if sign != "A" else "B") + token[at + 1 :]
            for at, sign in swapped(token)
        ),
        signed(claims, STOLEN),
        signed(claims, STOLEN, kid="0" * 16),
        signed(claims, typ="JWT"),
        f"{none}.{body}.{signature}",
        f"{none}.{body}.",
        signed({**claims, "exp": claims["exp"] + 1}),
        signed({**claims, "more": True}),
        signed({name: claims[name] for name in ("sub", "iat", "exp")}),
        signed({**claims, "sub": "nobody"}),
        head,
        "a.b.c",
    ]
    for each in forged:
        with pytest.raises(QuoteInvalid):
            tokens.read(each)
    assert urlsafe_b64decode(head + "==").startswith(b'{"alg":"HS256"')


def swapped(token: str) -> list[tuple[int, str]]:
    """Forty places of a token; the last sign of a part holds bits that mean nothing."""
    places = [at for at, sign in enumerate(token[:-1]) if sign != "." and token[at + 1] != "."]
    return [(at, token[at]) for at in random.Random(1).sample(places, 40)]


def test_a_quote_is_for_one_change_of_one_state_for_a_quarter_of_an_hour() -> None:
    subscription, wanted = begun(), terms(9_900)
    quote, end = quoted(subscription, wanted), LATER + timedelta(seconds=900)
    other = replace(quote, subscription_id=SubscriptionId.of("1" * 26))
    before = replace(quote, as_of=START - timedelta(days=1), version=quote.version)

    assert quote.moment(subscription, ASKED, end - timedelta(microseconds=1)) == LATER
    for each, asked, at, refusal in (
        (quote, ASKED, end, QuoteExpired),
        (quote, ASKED, LATER - timedelta(seconds=1), QuoteExpired),
        (quote, {**ASKED, "seats": 4}, LATER, QuoteDiffers),
        (other, ASKED, LATER, QuoteDiffers),
        (replace(quote, version=quote.version + 1), ASKED, LATER, QuoteStale),
        (before, ASKED, START - timedelta(days=1), QuoteStale),
    ):
        with pytest.raises(Refusal) as refused:
            each.moment(subscription, asked, at)
        assert refused.type is refusal
    with pytest.raises(QuoteStale):
        quote.must_be(change_of(subscription, terms(9_901), terms(9_901), LATER, "why"))


def test_what_is_charged_is_what_was_quoted() -> None:
    """300 random lives: dates, zones, seats, taxes, pauses. What leaves as a token and comes
    back is what the change comes to; two thousand on the real service by `python -m tests.trust
    quotes --changes 2000`."""
    rng, tokens = random.Random(13), QuoteTokens((NEW,))
    zones = ["UTC", "Asia/Kabul", "Pacific/Apia", "America/St_Johns", "Africa/Casablanca"]
    for _ in range(300):
        start = START + timedelta(seconds=rng.randrange(10**8))
        subscription = begun(rng.randrange(20_000), rng.choice(zones), start)
        rates = [
            CountryRate(country=each, rate_ppm=rng.randrange(300_000), valid_from=START.date())
            for each in sorted(MEMBER_STATES)
        ]
        customer = TaxedCustomer(country=rng.choice(["DE", "FR", "HU", "AF"]))
        subscription.period_taxed = berlin(rates=tuple(rates)).treat(customer, start)
        at = start + timedelta(seconds=rng.randrange(1, 20 * 86_400))
        if rng.random() < 0.3:
            pause(subscription, at, "why")
            at += timedelta(seconds=rng.randrange(10**7))
            resume(subscription, at, "why")
        for _ in range(rng.randrange(1, 4)):
            wanted = terms(rng.randrange(90_000), rng.randrange(1, 50))
            tried = change_of(copy(subscription), wanted, wanted, at, "why")
            token = tokens.token_of(quote_of(tried, ASKED, subscription.version, at))
            later = at + timedelta(seconds=rng.randrange(900))

            quote = tokens.read(token)
            second = quote.moment(subscription, ASKED, later)
            done = change_of(subscription, wanted, wanted, second, "why")

            quote.must_be(done)
            assert done.bill == tried.bill
            assert quote.outcome["dueMicro"] == (done.bill.due.amount_micro if done.bill else None)
            at = later
