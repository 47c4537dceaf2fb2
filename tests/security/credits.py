"""Prepaid credits for the attacks: for each function that asks for some, what it needs.

As with tills, what is made here stands before the books are looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

from tests.hotel import Hotel, new_id
from tests.prepaying import bought, claw_back, deduct, granted, held


@dataclass(frozen=True)
class Credits:
    """Credits to spend, bought and given; what a purchase is named; a hold for each that ends one.

    The account `owing` has a debt, and is another one each time.
    """

    bought: str
    owing: str
    taken: str
    holds: dict[str, str]

    @classmethod
    def of(cls, hotel: Hotel) -> Self:
        owing = f"spa_{uuid4().hex[:8]}"
        owed = bought(hotel, 5, account=owing)
        assert deduct(hotel, 5, account=owing).status_code == 201
        taken = f"dispute:{uuid4()}"
        assert claw_back(hotel, owed, 3, taken).status_code == 201
        assert claw_back(hotel, owed, 2).status_code == 201
        granted(hotel, 1_000)
        key = bought(hotel, 1_000)
        ends = ("capture_credits", "release_credits")
        return cls(key, owing, taken, {name: held(hotel, 5, lastsSeconds=86_400) for name in ends})


def _use(_: Credits) -> dict[str, Any]:
    return {
        "account": "main",
        "creditsMicro": 1_000_000,
        "service": "concierge",
        "externalReference": "chat-1",
    }


def _grant(_: Credits) -> dict[str, Any]:
    return {
        "id": new_id("clt"),
        "account": "main",
        "source": "renewal",
        "sourceKey": f"renewal:sub_1:{uuid4()}",
        "creditsMicro": 1_000_000,
        "expiresAt": "2099-01-01T00:00:00Z",
        "reason": "They waited a day",
    }


def _claw_back(credits: Credits) -> dict[str, Any]:
    return {
        "grantKey": credits.bought,
        "sourceKey": f"refund:{uuid4()}",
        "creditsMicro": 1_000,
        "reason": "The purchase was refunded",
    }


BODIES: dict[str, Callable[[Credits], dict[str, Any]]] = {
    "deduct_credits": _use,
    "hold_credits": lambda credits: {**_use(credits), "id": new_id("hld"), "lastsSeconds": 600},
    "capture_credits": lambda credits: {"creditsMicro": 1_000_000},
    "release_credits": lambda credits: {},
    "transfer_credits": lambda credits: {
        "fromAccount": "main",
        "toAccount": "bar",
        "creditsMicro": 1_000_000,
        "reason": "For the bar's own messages",
    },
    "grant_credits": _grant,
    "claw_back_credits": _claw_back,
    "reverse_claw_back": lambda credits: {
        "sourceKey": credits.taken,
        "reason": "The dispute was won",
    },
    "waive_credit_debt": lambda credits: {
        "account": credits.owing,
        "creditsMicro": 1_000,
        "reason": "They had a bad year",
    },
}
QUERIES: dict[str, dict[str, str]] = {
    "show_credit_balance": {"account": "main"},
    "list_credit_history": {
        "account": "main",
        "kind": "spend",
        "limit": "50",
        "cursor": "IiI",
    },
}
