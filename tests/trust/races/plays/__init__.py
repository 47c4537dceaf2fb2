"""The races: what two or three people at a hotel can do to the same thing at once.

Each is a short play (stage.py): what is given, who does what, and what must be so afterwards in
whatever order it went. A new aggregate brings its race, and it stands in a file of its area, under
@race.
"""

from tests.trust.races.plays import (
    cash,
    charging,
    collecting,
    companies,
    credits,
    deposits,
    differences,
    documents,
    five_ways,
    folios,
    nights,
    payments,
    payouts,
    purchases,
    reconciliations,
    redeeming,
    refunds,
    reopenings,
    reviews,
    subscriptions,
    taxes,
    transfers,
    trials,
    usage,
    webhooks,
)
from tests.trust.races.plays.playbill import RACES

__all__ = [
    "RACES",
    "cash",
    "charging",
    "collecting",
    "companies",
    "credits",
    "deposits",
    "differences",
    "documents",
    "five_ways",
    "folios",
    "nights",
    "payments",
    "payouts",
    "purchases",
    "reconciliations",
    "redeeming",
    "refunds",
    "reopenings",
    "reviews",
    "subscriptions",
    "taxes",
    "transfers",
    "trials",
    "usage",
    "webhooks",
]
