"""Plans ship as data, and a version never changes (SUB-1)."""

from collections import Counter
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.hotel import Hotel, usd
from tests.proofs import assert_refused, state, told
from tests.subscribing import change, preview, shown, staff, subscribed
from tests.together import at_once

pytestmark = pytest.mark.req("SUB-1")


def given(**more: Any) -> dict[str, Any]:
    body = {
        "name": "Club",
        "currency": "USD",
        "monthlyFee": usd(1_000),
        "yearlyFee": usd(10_000),
        "seatMonthlyFee": usd(200),
        "seatYearlyFee": usd(2_000),
        "creditsMicro": 7_000_000,
        "limits": {"users": 2},
        "support": "email",
        **more,
    }
    return {name: value for name, value in body.items() if value is not None}


def create(hotel: Hotel, plan: str, **more: Any) -> TestResponse:
    body = {"plan": plan, **given(**more)}
    return asked(hotel, "plan.create", "/plans", body, body)


def publish(hotel: Hotel, plan: str, **more: Any) -> TestResponse:
    body = given(**more)
    return asked(hotel, "plan.publish", f"/plans/{plan}/versions", body, {"plan": plan, **body})


def asked(
    hotel: Hotel, deed: str, path: str, body: dict[str, Any], confirmed: dict[str, Any]
) -> TestResponse:
    """By somebody of the platform, whose own tenant this is."""
    known = staff(hotel, deed, confirmed, office=hotel.tenant_id)
    return hotel.post(path, {**body, "stepUpToken": known["stepUpToken"]}, token=known["token"])


def named() -> str:
    return f"club_{uuid4().hex[:8]}"


def test_ships_the_four_plans(hotel: Hotel) -> None:
    """Fees by the month and by the year, credits, projects, users, requests, megabytes."""
    answer = hotel.get("/plans", token=hotel.token("subscription.read"))

    found = {each["plan"]: each for each in answer.json["items"]}
    figures = {
        plan: [
            each["monthlyFee"] and each["monthlyFee"]["amountMicro"] // 1_000_000,
            each["yearlyFee"] and each["yearlyFee"]["amountMicro"] // 1_000_000,
            each["creditsMicro"] and each["creditsMicro"] // 1_000_000,
            *(each["limits"][name] for name in ("projects", "users", "aiRequests", "storageMb")),
            each["support"],
            each["sla"],
        ]
        for plan, each in found.items()
        if each["planVersion"] == 1
        and not plan.rpartition("_")[0]  # a test's are called `club_...`
    }
    assert figures == {
        "free": [0, 0, 100, 1, 1, 10, 100, "community", False],
        "pro": [29, 290, 1_000, 10, 5, 100, 10_000, "email", False],
        "team": [99, 990, 5_000, 50, 20, 500, 100_000, "priority", False],
        "enterprise": [None, None, None, None, None, None, None, "dedicated", True],
    }


def test_a_new_version_leaves_subscribers_with_theirs(hotel: Hotel) -> None:
    """10.00 and 2.00 a further seat: four seats cost 14.00, and still do after the rise."""
    plan = named()
    assert create(hotel, plan).status_code == 201
    subscribed(hotel, plan, seats=4)

    published = publish(hotel, plan, monthlyFee=usd(5_000))

    assert (published.status_code, published.json["planVersion"]) == (201, 2)
    mine = shown(hotel)
    assert mine["subscription"]["terms"]["planVersion"] == 1
    assert mine["nextInvoice"]["due"] == usd(1_400)
    assert told(hotel)[-1] == "plan_version.published"
    listed = hotel.get("/plans").json["items"]
    assert [each["planVersion"] for each in listed if each["plan"] == plan] == [2]


@pytest.mark.req("BEY-5")
def test_what_was_quoted_at_another_fee_is_not_charged(hotel: Hotel) -> None:
    """Nothing of the subscription has changed, and yet it is another sum: the plan has become
    dearer meanwhile."""
    plan = named()
    assert create(hotel, plan).status_code == 201
    subscribed(hotel)
    quoted = preview(hotel, plan=plan).json
    assert publish(hotel, plan, monthlyFee=usd(5_000)).status_code == 201
    before = state(hotel)

    answer = change(hotel, plan=plan, quoteToken=quoted["quoteToken"])

    assert_refused(answer, 409, "QUOTE_STALE")
    assert state(hotel) == before
    again = preview(hotel, plan=plan).json
    charged = change(hotel, plan=plan, quoteToken=again["quoteToken"]).json["bill"]
    assert (charged, charged != quoted["bill"]) == (again["bill"], True)


def test_is_sold_in_whatever_the_processor_takes_to_the_minor_unit(hotel: Hotel) -> None:
    """Half a month of 5.001 dinars is 2.501, of which the processor takes no last decimal; yen it
    takes whole."""
    for currency, status in (("KWD", 422), ("MGA", 422), ("JPY", 201)):
        fee = {"amountMicro": 5_000_000, "currency": currency}
        fees = ("monthlyFee", "yearlyFee", "seatMonthlyFee", "seatYearlyFee")

        answer = create(hotel, named(), currency=currency, **dict.fromkeys(fees, fee))

        assert answer.status_code == status, answer.text
        if status == 422:
            assert_refused(answer, 422, "PLAN_PRICE_INVALID")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"yearlyFee": None}, "PLAN_PRICE_INVALID"),
        ({"seatYearlyFee": None}, "PLAN_PRICE_INVALID"),
        ({"monthlyFee": None, "yearlyFee": None}, "PLAN_PRICE_INVALID"),
        ({"currency": "EUR"}, "CURRENCY_MISMATCH"),
    ],
)
def test_refuses_fees_that_contradict_one_another(
    hotel: Hotel, changed: dict[str, Any], code: str
) -> None:
    before = state(hotel)

    assert_refused(create(hotel, named(), **changed), 422, code)

    assert state(hotel) == before


def test_a_plan_begins_once_and_goes_on_by_versions(hotel: Hotel) -> None:
    assert_refused(create(hotel, "pro"), 409, "PLAN_EXISTS")
    assert_refused(publish(hotel, named()), 404, "PLAN_UNKNOWN")


def test_versions_published_at_once_follow_one_another(hotel: Hotel) -> None:
    plan = named()
    begun = at_once([partial(create, hotel, plan)] * 2)
    assert Counter(answer.status_code for answer in begun) == {201: 1, 409: 1}

    answers = at_once([partial(publish, hotel, plan)] * 3)

    assert sorted(answer.json["planVersion"] for answer in answers) == [2, 3, 4]


def test_nothing_changes_a_version(hotel: Hotel) -> None:
    """Not even the role that adds them may; of an invoice it writes how it was settled, and what of
    its money went back."""
    rights = hotel.house.sql(
        "SELECT has_any_column_privilege('billing_tenant', oid, 'UPDATE'),"
        " has_table_privilege('billing_tenant', oid, 'DELETE') FROM pg_class"
        " WHERE oid IN ('billing_central.plan_versions'::regclass,"
        " 'billing_central.platform_entries'::regclass)"
    )
    written = hotel.house.sql(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = 'billing_central.subscription_invoices'::regclass AND attnum > 0"
        " AND NOT attisdropped AND has_column_privilege('billing_tenant', attrelid, attnum,"
        " 'UPDATE') ORDER BY attname"
    )
    assert rights == [[False, False]] * 2
    settled, gone = ["given_up_at", "paid_at", "paid_by"], ["lost_micro", "refunded_micro"]
    also = ["set_off_micro", "withheld_micro"]
    assert [name for (name,) in written] == sorted([*settled, *gone, *also])
