"""The model's transfers: what leaves one folio is undone there, and posted anew on the other one.

A charge that moves whole is voided where it was; a part of one is an adjustment there. What arrives
has the same price and the exact parts of the same taxes, so that the sums of both folios move by
the same, each rounded by itself.
"""

import copy
from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from tests.trust.machine.books import Books, Command, Expected, amount_of, fact, refused
from tests.trust.machine.folio import (
    Folio,
    adjust,
    half_away,
    new_charge,
    post,
    price,
    void,
    which_of,
)


def move(
    source: Folio,
    target: Folio,
    charges: Sequence[int | None],
    wanted: tuple[int, str] | None,
    ppm: int | None,
    per_invoice: bool,
    day: date,
) -> str | None:
    """Move charges whole, or an amount (and its currency) or so many millionths of them."""
    if source["house"]["id"] != target["house"]["id"]:
        return "TRANSFER_CROSS_PROPERTY"
    if source["currency"] != target["currency"]:
        return "CURRENCY_MISMATCH"
    if not source["open"] or not target["open"]:
        return "FOLIO_CLOSED"
    if None in charges:
        return "CHARGE_UNKNOWN"
    named = [source["charges"][place] for place in dict.fromkeys(charges) if place is not None]
    if any(each["void"] for each in named):
        return "CHARGE_ALREADY_VOIDED"
    prices = [price(each) for each in named]
    shares: list[int | None] = [None] * len(named)
    if wanted is not None or ppm is not None:
        asked, currency = wanted or (half_away(Fraction(sum(prices) * (ppm or 0), 10**6)), "")
        if currency not in ("", source["currency"]):
            return "CURRENCY_MISMATCH"
        if asked <= 0:
            return "AMOUNT_NOT_POSITIVE"
        if asked > sum(prices):
            return "TRANSFER_EXCEEDS_CHARGES"
        shares = _whole_ones(prices, allotted(asked, prices))
    moved = [
        each
        for posted, share in zip(named, shares, strict=True)
        for each in _taken(source, posted, share, per_invoice, day)
    ]
    for posted, postings in moved:
        arrived = new_charge(posted["kind"], posted["service"])
        for kind, amount, parts in postings:
            post(target, arrived, kind, amount, parts, day)
        target["charges"].append(arrived)
    source["version"] += 1
    target["version"] += 1
    return None


def allotted(amount: int, weights: list[int]) -> list[int]:
    """An amount by weight, in whole units; what is left goes where most was cut off."""
    exact = [Fraction(amount * weight, sum(weights)) for weight in weights]
    parts = [int(each) for each in exact]
    places = sorted(range(len(weights)), key=lambda place: parts[place] - exact[place])
    for place in places[: amount - sum(parts)]:
        parts[place] += 1
    return parts


def _whole_ones(prices: list[int], shares: list[int]) -> list[int | None]:
    """None for what moves whole."""
    pairs = zip(prices, shares, strict=True)
    return [None if share and share == cost else share for cost, share in pairs]


def _taken(
    source: Folio, posted: dict[str, Any], share: int | None, per_invoice: bool, day: date
) -> list[tuple[dict[str, Any], list[tuple[str, int, Any]]]]:
    """Take a charge, or a share of it, away; what is to be posted for it."""
    place, version = source["charges"].index(posted), source["version"]
    if share == 0:
        return []
    if share is None:
        postings = list(posted["postings"])
        void(source, place, day)
        kinds = ["charge"] + ["adjustment"] * (len(postings) - 1)
        moved = [
            (kind, each["price"], each["parts"]) for kind, each in zip(kinds, postings, strict=True)
        ]
    else:
        adjust(source, place, -share, source["currency"], per_invoice, day)
        parts = posted["postings"][-1]["parts"]
        moved = [("charge", share, [(tax, -exact) for tax, exact in parts])]
    source["version"] = version
    return [(posted, moved)]


class Transfers(Books):
    """The transfers of a group."""

    def _transfer_lines(self, asked: Command, now: datetime) -> Expected:
        body, source = asked.body, self._taken(asked)
        if isinstance(source, Expected):
            return source
        target = self.folio(body["toFolioId"], asked.houses)
        if target is None:
            return Expected(404, "FOLIO_UNKNOWN")
        if source is target:
            return refused("TRANSFER_SAME_FOLIO")
        trials = copy.deepcopy(source), copy.deepcopy(target)
        code = move(
            *trials,
            [which_of(source, each) for each in body["chargeIds"]],
            amount_of(body["amount"]) if "amount" in body else None,
            body.get("sharePpm"),
            self.settings.per_invoice,
            self.day(source["house"], now),
        )
        if code is not None:
            return refused(code)
        before = len(target["lines"])
        left = self._changed(source, trials[0], "folio.lines_transferred")
        target.clear()
        target.update(trials[1])
        left.other, left.other_lines = target, target["lines"][before:]
        left.events.append(fact("folio.lines_transferred", target, target["version"]))
        return left
