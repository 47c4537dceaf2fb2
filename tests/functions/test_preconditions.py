"""If-Match: a change that was decided on an older state is refused (API-10)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.functions.crowd import post_together
from tests.hotel import Hotel, charge, usd
from tests.moving import wanted
from tests.proofs import GENERAL, assert_refused, state
from tests.together import at_once

Change = Callable[[Hotel, str, str], tuple[str, Any]]
CHANGES: dict[str, Change] = {
    "charge": lambda h, f, c: (f"/folios/{f}/charges", charge(cents=1)),
    "batch": lambda h, f, c: (f"/folios/{f}/charges/batch", {"charges": [charge(cents=1)]}),
    "void": lambda h, f, c: (f"/folios/{f}/charges/{c}/void", {"reason": "Wrong"}),
    "adjustment": lambda h, f, c: (
        f"/folios/{f}/adjustments",
        {"chargeId": c, "amount": usd(-1), "description": "Less", "reason": "Noise"},
    ),
    "transfer": lambda h, f, c: (f"/folios/{f}/transfers", wanted(h.open_folio(), c)),
    "payment": lambda h, f, c: (
        f"/folios/{f}/payments",
        {"method": "voucher", "amount": usd(1)},
    ),
    "close": lambda h, f, c: (f"/folios/{f}/close", {}),
}


def _match(tag: str) -> dict[str, Any]:
    return {"headers": {"If-Match": tag}}


@pytest.mark.req("API-10")
@pytest.mark.parametrize("name", CHANGES)
def test_refuses_a_change_of_what_has_changed_since(hotel: Hotel, name: str) -> None:
    folio = hotel.open_folio()
    charged = hotel.charged(folio)
    if name == "close":
        hotel.paid(folio, usd(11_000))
    path, body = CHANGES[name](hotel, folio, charged)
    tag = hotel.get(f"/folios/{folio}").headers["ETag"]
    before = state(hotel)

    stale = hotel.post(path, body, **_match('"1"'))
    unchanged = state(hotel) == before
    fresh = hotel.post(path, body, **_match(tag))

    assert_refused(stale, 412, GENERAL + "VERSION_STALE")
    assert unchanged
    assert fresh.status_code in (200, 201), fresh.text
    assert fresh.headers["ETag"] == hotel.get(f"/folios/{folio}").headers["ETag"] != tag


@pytest.mark.req("API-10")
@pytest.mark.parametrize("tag", ['W/"1"', "1", '"1", "2"', '"one"', ""])
def test_takes_one_strong_tag(hotel: Hotel, tag: str) -> None:
    path = f"/folios/{hotel.open_folio()}/charges"

    assert_refused(hotel.post(path, charge(), **_match(tag)), 400, GENERAL + "VALIDATION_FAILED")


@pytest.mark.req("API-10")
def test_takes_any_version_for_a_star(hotel: Hotel) -> None:
    path = f"/folios/{hotel.open_folio()}/charges"

    assert hotel.post(path, charge(), **_match("*")).status_code == 201


@pytest.mark.req("API-10", "API-4")
def test_answers_a_retry_though_its_tag_is_old_by_then(hotel: Hotel) -> None:
    """The first attempt itself has made the tag old."""
    path = f"/folios/{hotel.open_folio()}/charges"

    first, again = (hotel.post(path, charge(), key="k", **_match('"1"')) for _ in range(2))

    assert (first.status_code, again.data) == (201, first.data)


@pytest.mark.req("API-10")
def test_lets_one_of_two_pass_that_saw_the_same_version(hotel: Hotel) -> None:
    path = f"/folios/{hotel.open_folio()}/charges"

    answers = at_once([partial(hotel.post, path, charge(), **_match('"1"'))] * 5)

    assert sorted(answer.status_code for answer in answers) == [201, 412, 412, 412, 412]


@pytest.mark.req("API-10", "FOL-5")
def test_lets_one_pass_of_a_crowd_that_shares_a_transaction(busy_hotel: Hotel) -> None:
    path = f"/folios/{busy_hotel.open_folio()}/charges"

    answers = post_together(busy_hotel, path, [charge()] * 12, **_match('"1"'))

    assert sorted(answer.status_code for answer in answers) == [201, *[412] * 11]
