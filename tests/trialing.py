"""Trials to test with: an account with a verified address, on a device of its own.

answer = try_out(hotel)                        # somebody new, without a card
answer = try_out(hotel, who=somebody, paymentMethodId=method)
"""

import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from common.local.functions import job_declarations
from common.ports.identity import VERIFIED_ACCOUNT
from common.runtime.job import Orders, Progress
from tests.hotel import Hotel, new_id
from tests.subscribing import Figures


def _fresh(what: str) -> str:
    return f"{what}-{uuid4().hex}"


@dataclass(frozen=True)
class Somebody:
    """By what somebody is known again; all of it nobody else's unless it is given."""

    sub: str = field(default_factory=lambda: _fresh("account"))
    email: str = field(default_factory=lambda: f"{_fresh('n')}@hotel.example")
    device: str = field(default_factory=lambda: _fresh("device"))

    def token(self, hotel: Hotel, **claims: Any) -> str:
        """The token that the identity service gives to such an account: of no role at all."""
        claims.setdefault("email", self.email)
        return hotel.token("none", sub=self.sub, property_ids=[], **claims)

    def body(self, **more: Any) -> dict[str, Any]:
        return {"id": new_id("sub"), "device": self.device, **more}


def try_out(
    hotel: Hotel,
    who: Somebody | None = None,
    *,
    key: str = "",
    address: str = "",
    **wanted: Any,
) -> TestResponse:
    """Begin a trial, each time from another address unless one is given."""
    who = who or Somebody()
    return hotel.house.client.open(
        "/api/v1/trials",
        method="POST",
        json=who.body(**wanted),
        headers={
            "Authorization": f"Bearer {who.token(hotel)}",
            "Idempotency-Key": key or str(uuid4()),
        },
        environ_overrides={"REMOTE_ADDR": address or _address()},
    )


def tried(hotel: Hotel, who: Somebody | None = None, **wanted: Any) -> dict[str, Any]:
    """The subscription that a trial is."""
    answer = try_out(hotel, who, **wanted)
    assert answer.status_code == 201, answer.text
    subscription: dict[str, Any] = answer.json["subscription"]
    return subscription


def run_reminder(*hotels: Hotel) -> Progress:
    """What a run of the reminder's job over these tenants came to."""
    declared = next(each for each in job_declarations() if each.name == "remind_trials")
    return hotels[0].house.wiring.job_shell.run(
        declared,
        Orders(tenants=tuple(hotel.tenant_id for hotel in hotels)),
        stop=threading.Event(),
        tell=lambda _: None,
    )


def marks(hotel: Hotel) -> Figures:
    """The kinds of mark that are kept of the hotel's trial."""
    return hotel.house.sql(
        "SELECT kind FROM billing_central.trial_marks WHERE tenant_id = :t ORDER BY kind",
        t=hotel.tenant_id,
    )


def _address() -> str:
    part = uuid4().hex
    return ":".join(("2001", "db8", part[:4], part[4:8], part[8:12], part[12:16], "0", "1"))


__all__ = ["VERIFIED_ACCOUNT", "Somebody", "marks", "run_reminder", "tried", "try_out"]
