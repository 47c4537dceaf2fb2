"""The races: what two or three people at a hotel can do to the same thing at once.

Each is a short play (stage.py): what is given, who does what, and what must be so afterwards in
whatever order it went. A new aggregate brings its race, and it stands in a file of its area, under
@race.
"""

from tests.trust.races.plays import (
    cash,
    charging,
    companies,
    credits,
    deposits,
    differences,
    documents,
    folios,
    nights,
    payments,
    payouts,
    purchases,
    reconciliations,
    refunds,
    reopenings,
    reviews,
    subscriptions,
    taxes,
    transfers,
    webhooks,
)
from tests.trust.races.plays.playbill import RACES

__all__ = [
    "RACES",
    "cash",
    "charging",
    "companies",
    "credits",
    "deposits",
    "differences",
    "documents",
    "folios",
    "nights",
    "payments",
    "payouts",
    "purchases",
    "reconciliations",
    "refunds",
    "reopenings",
    "reviews",
    "subscriptions",
    "taxes",
    "transfers",
    "webhooks",
]
