"""`allowUntaxed`: switched on by the tenant, ends by itself at the property's midnight (TAX-2)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.hotel import Hotel, charge, vat
from tests.proofs import (
    assert_books_are_right,
    assert_refused,
    assert_trails_are_whole,
    state,
    told,
    trail,
)

pytestmark = pytest.mark.req("TAX-2")

Clock = Callable[[str], None]
SETTINGS = "on_tenant_settings_updated"


def _switch(hotel: Hotel, allowed: bool, zone: str = "Asia/Kabul", **more: Any) -> str | None:
    """Tell the settings; what is kept of when the permission ends."""
    (house,) = hotel.settings()["properties"]
    document = hotel.settings(
        properties=[{**house, "allowUntaxed": allowed, "timeZone": zone, **more}]
    )
    del document["taxRules"]
    assert hotel.deliver(SETTINGS, document).status_code == 204
    assert hotel.letters() == []
    kept = hotel.rows("SELECT document FROM {s}.settings_versions ORDER BY version DESC LIMIT 1")[
        0
    ][0]
    until: str | None = kept["properties"][0]["untaxedUntil"]
    return until


@pytest.mark.req("CASH-11")
@pytest.mark.parametrize(
    ("now", "zone", "until"),
    [
        ("2026-03-10T08:00:00Z", "Asia/Kabul", "2026-03-10T19:30:00Z"),
        ("2026-03-10T20:00:00Z", "Asia/Kabul", "2026-03-11T19:30:00Z"),
        # 28 March 2026 in Berlin ends at 23:00 UTC, and the 29th, of 23 hours, at 22:00.
        ("2026-03-28T12:00:00Z", "Europe/Berlin", "2026-03-28T23:00:00Z"),
        ("2026-03-28T23:30:00Z", "Europe/Berlin", "2026-03-29T22:00:00Z"),
        # 25 October has 25 hours.
        ("2026-10-24T22:30:00Z", "Europe/Berlin", "2026-10-25T23:00:00Z"),
        # Cairo leaves midnight out on 24 April: the day ends as the clock jumps, at 22:00 UTC.
        ("2026-04-23T12:00:00Z", "Africa/Cairo", "2026-04-23T22:00:00Z"),
        ("2026-06-01T10:30:00Z", "Pacific/Pago_Pago", "2026-06-01T11:00:00Z"),
        ("2026-06-01T10:30:00Z", "Pacific/Kiritimati", "2026-06-02T10:00:00Z"),
        ("2026-06-01T10:30:00Z", "Australia/Lord_Howe", "2026-06-01T13:30:00Z"),
    ],
)
def test_switched_on_it_ends_at_the_next_midnight_of_the_property(
    hotel: Hotel, clock: Clock, now: str, zone: str, until: str
) -> None:
    clock(now)

    assert _switch(hotel, True, zone) == until


def test_no_later_settings_renew_it_and_off_and_on_again_do(hotel: Hotel, clock: Clock) -> None:
    """The tenant's service tells all settings whenever one of them changes."""
    clock("2026-03-10T08:00:00Z")
    first = _switch(hotel, True)
    clock("2026-03-11T08:00:00Z")
    restated = _switch(hotel, True, name="Kabul Garden")
    off = _switch(hotel, False)
    again = _switch(hotel, True)

    assert [first, restated, off, again] == [
        "2026-03-10T19:30:00Z", "2026-03-10T19:30:00Z", None, "2026-03-11T19:30:00Z",
    ]  # fmt: skip
    assert_trails_are_whole(hotel)


def test_an_end_that_was_kept_before_there_was_this_rule_is_brought_to_midnight(
    hotel: Hotel, clock: Clock
) -> None:
    clock("2026-03-10T08:00:00Z")
    (house,) = hotel.settings()["properties"]
    hotel.write_settings(properties=[{**house, "untaxedUntil": "2099-01-01T00:00:00Z"}])

    assert _switch(hotel, True) == "2026-03-10T19:30:00Z"


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize(
    ("asked", "until"),
    [
        ("2099-01-01T00:00:00Z", "2026-03-10T19:30:00Z"),
        ("2026-03-10T12:00:00Z", "2026-03-10T12:00:00Z"),
    ],
)
def test_an_end_that_is_given_is_an_end_before_midnight(
    hotel: Hotel, clock: Clock, asked: str, until: str, allowed: bool
) -> None:
    """Also where it is given alone; the same settings once more change nothing."""
    clock("2026-03-10T08:00:00Z")

    assert _switch(hotel, allowed, untaxedUntil=asked) == until
    clock("2026-03-11T08:00:00Z")
    assert _switch(hotel, allowed, untaxedUntil=asked) == until


@pytest.mark.req("EVT-2", "AUD-1")
def test_while_it_lasts_what_goes_untaxed_is_told_each_kind_and_day_once(
    hotel: Hotel, clock: Clock
) -> None:
    clock("2026-03-10T08:00:00Z")
    hotel.write_settings(taxRules=[])
    _switch(hotel, True)
    folio = hotel.open_folio()
    bills = [charge("minibar"), charge("minibar"), charge("spa", serviceDate="2026-03-09")]

    answer = hotel.post(f"/folios/{folio}/charges/batch", {"charges": bills})

    assert [line["untaxed"] for line in answer.json["lines"]] == ["allowed"] * 3
    assert told(hotel)[1:] == ["charge.posted"] * 3 + ["tax_rule.missing"] * 2
    missing = [event["data"] for event in hotel.events("tax_rule.missing")]
    assert [(m["chargeKind"], m["on"], m["jurisdiction"], m["posted"]) for m in missing] == [
        ("minibar", "2026-03-10", "AF-KBL", True),
        ("spa", "2026-03-09", "AF-KBL", True),
    ]
    assert answer.headers["ETag"] == f'"{hotel.get(f"/folios/{folio}").json["version"]}"'
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-2", "AUD-1")
@pytest.mark.parametrize("batch", [False, True])
def test_a_charge_that_is_refused_for_want_of_a_rule_is_told(hotel: Hotel, batch: bool) -> None:
    hotel.write_settings(taxRules=[vat(chargeKinds=["spa"])])
    folio = hotel.open_folio()
    path, body = f"/folios/{folio}/charges", charge(serviceDate="2026-03-09")
    if batch:
        path, body = f"{path}/batch", {"charges": [charge("spa"), body]}

    answer = hotel.post(path, body, token=hotel.token(sub="laila"))

    assert_refused(answer, 422, "TAX_RULE_MISSING")
    assert told(hotel) == ["folio.opened", "tax_rule.missing"]
    data = hotel.events("tax_rule.missing")[0]["data"]
    assert (data["chargeKind"], data["on"], data["posted"]) == ("room", "2026-03-09", False)
    (entry,) = trail(hotel, "tax_rule.missing")
    assert entry["actor"] == "laila"
    assert hotel.get(f"/folios/{folio}").json["lines"] == []
    assert_books_are_right(hotel)


def test_a_closed_folio_is_told_nothing_more(hotel: Hotel) -> None:
    hotel.write_settings(taxRules=[])
    folio = hotel.open_folio()
    hotel.post(f"/folios/{folio}/close")
    before = state(hotel)

    answer = hotel.post(f"/folios/{folio}/charges", charge())

    assert_refused(answer, 409, "FOLIO_CLOSED")
    assert state(hotel) == before
