"""An account's history is all that ever moved its credits, newest first (CRD-2, API-5)."""

import pytest

from tests.hotel import Hotel, House
from tests.prepaying import deduct, granted, held, transfer
from tests.proofs import assert_refused

pytestmark = pytest.mark.req("CRD-2", "API-5")


def test_shows_every_movement_with_the_lots_that_it_took_from(hotel: Hotel) -> None:
    lot = granted(hotel, 10)
    deduct(hotel, 4)
    hold_id = held(hotel, 1)

    items = hotel.get("/credits/history").json["items"]

    assert [(each["kind"], each["sequence"]) for each in items] == [
        ("hold", 3),
        ("spend", 2),
        ("grant", 1),
    ]
    assert [each["balanceMicro"] for each in items] == [6_000_000, 6_000_000, 10_000_000]
    assert items[0]["holdId"] == hold_id
    assert items[0]["lots"] == [{"lotId": lot, "amountMicro": 0, "heldMicro": 1_000_000}]
    assert items[1]["lots"] == [{"lotId": lot, "amountMicro": -4_000_000, "heldMicro": 0}]


def test_pages_stay_right_while_credits_move(hotel: Hotel) -> None:
    """Five movements, two at a time; one that comes meanwhile is in front of the first page."""
    granted(hotel, 10)
    for _ in range(4):
        deduct(hotel, 1)
    seen, cursor = [], None
    while True:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = hotel.get("/credits/history", **query).json
        seen += [each["sequence"] for each in page["items"]]
        deduct(hotel, 1)
        cursor = page["nextCursor"]
        if cursor is None:
            break

    assert seen == [5, 4, 3, 2, 1]


def test_shows_one_kind_of_one_account(hotel: Hotel) -> None:
    granted(hotel, 10)
    deduct(hotel, 4)
    transfer(hotel, 2, "spa")

    spent = hotel.get("/credits/history", kind="spend").json["items"]
    moved = hotel.get("/credits/history", account="spa").json["items"]

    assert [each["amountMicro"] for each in spent] == [-4_000_000]
    assert [(each["kind"], each["amountMicro"]) for each in moved] == [("transfer_in", 2_000_000)]


@pytest.mark.req("TEN-2", "SEC-2")
def test_shows_nobody_elses(hotel: Hotel, house: House) -> None:
    granted(house.new_hotel(), 10)

    assert hotel.get("/credits/history").json == {"items": [], "nextCursor": None}
    assert_refused(hotel.get("/credits/history", account="spa"), 404, "CREDIT_ACCOUNT_UNKNOWN")
    writer = hotel.get("/credits/history", token=hotel.token("billing.credits.write"))
    assert_refused(writer, 403, "MELMASTOON.IAM.SCOPE_MISSING")


@pytest.mark.parametrize("cursor", ["IiI", "nonsense", "Ii0xIg", "IjEwMDAwMDAwMDAwMDAwMDAwMCI"])
def test_refuses_a_cursor_that_no_page_gave(hotel: Hotel, cursor: str) -> None:
    """The second is no JSON, the third is "-1", the fourth a number that no entry can have."""
    if cursor == "IiI":  # the empty key is the beginning
        assert hotel.get("/credits/history", cursor=cursor).status_code == 200
        return
    refused = hotel.get("/credits/history", cursor=cursor)
    assert_refused(refused, 422, "MELMASTOON.GENERAL.CURSOR_INVALID")
