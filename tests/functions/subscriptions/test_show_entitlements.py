"""What a tenant may use follows its plan and its state (SUB-1, SUB-2)."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.hotel import Hotel, House
from tests.proofs import assert_refused, state
from tests.subscribing import READING, act, change, put_into, subscribed
from tests.trialing import tried

pytestmark = pytest.mark.req("SUB-1", "SUB-2")
Clock = Callable[[str], None]


def entitled(hotel: Hotel, token: str = "") -> TestResponse:
    token = token or hotel.token("subscription.read")
    return hotel.get(f"/entitlements/{hotel.tenant_id}", token=token)


def test_answers_the_limits_of_the_plan(hotel: Hotel) -> None:
    """Pro: 10 projects, 5 users, 100 requests, 10 GB, 1,000 credits a month; Enterprise: all."""
    subscribed(hotel)

    answer = entitled(hotel)

    assert answer.status_code == 200, answer.text
    mine = answer.json
    assert (mine["status"], mine["access"], mine["plan"]) == ("active", "full", "pro")
    assert mine["limits"] == {
        "projects": 10,
        "users": 5,
        "aiRequests": 100,
        "storageMb": 10_000,
    }
    assert (mine["creditsMicro"], mine["support"], mine["sla"]) == (1_000_000_000, "email", False)
    assert answer.headers["ETag"] == f'"{mine["version"]}"'


def test_follows_a_change_of_plan_at_once(hotel: Hotel) -> None:
    subscribed(hotel)
    before = entitled(hotel).headers["ETag"]
    assert change(hotel, plan="team", seats=20).status_code == 200

    answer = entitled(hotel)

    assert (answer.json["limits"]["users"], answer.json["limits"]["projects"]) == (20, 50)
    assert answer.headers["ETag"] != before


@pytest.mark.req("SUB-7", "SUB-8", "SUB-10")
def test_says_what_each_state_allows(hotel: Hotel) -> None:
    """Trying: all of Pro until the trial ends. Suspended or paused: what is there can be read.
    Canceled: nothing."""
    ends = tried(hotel)["period"]["end"]
    trying = entitled(hotel).json
    assert (trying["status"], trying["access"], trying["until"]) == ("trialing", "full", ends)
    put_into(hotel, status="suspended", due_at=None)
    suspended = entitled(hotel).json
    assert (suspended["status"], suspended["access"]) == ("suspended", "read_only")
    assert suspended["until"] is None
    put_into(hotel, status="paused", paused_at="2026-03-01T00:00:00Z")
    assert entitled(hotel).json["access"] == "read_only"

    assert act(hotel, "cancel", at="now").status_code == 200

    assert entitled(hotel).json["access"] == "none"


@pytest.mark.req("TEN-3", "SEC-3")
def test_a_tenant_asks_for_its_own_and_the_platforms_services_for_all(
    hotel: Hotel, house: House
) -> None:
    subscribed(hotel)
    other = house.new_hotel()
    service = hotel.token(READING, sub="tenant-service", tenant_id=other.tenant_id)
    before = state(hotel)

    assert entitled(hotel, service).json["plan"] == "pro"
    assert_refused(
        entitled(hotel, other.token("subscription.read")),
        403,
        "MELMASTOON.GENERAL.CROSS_TENANT_REFERENCE",
    )
    assert_refused(entitled(hotel, hotel.token("x")), 403, "MELMASTOON.IAM.SCOPE_MISSING")
    nobody = hotel.token(READING, sub=str(uuid4()), tenant_id=other.tenant_id)
    assert_refused(
        other.get(f"/entitlements/{other.tenant_id}", token=nobody), 404, "SUBSCRIPTION_UNKNOWN"
    )
    assert state(hotel) == before
