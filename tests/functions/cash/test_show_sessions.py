"""Sessions are listed and shown to those who work there, page by page."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.proofs import assert_refused, state
from tests.till import OPERATE, Till, new_drawer, open_drawer
from tests.together import meanwhile


def listed(hotel: Hotel, **query: str) -> list[str]:
    answer = hotel.get("/cash-sessions", token=hotel.token(OPERATE), **query)
    assert answer.status_code == 200, answer.text
    return [each["cashSessionId"] for each in answer.json["items"]]


@pytest.mark.req("API-5", "SEC-3")
def test_lists_by_house_drawer_state_and_day_page_by_page(hotel: Hotel) -> None:
    waiting, closed, running = (Till.opened(hotel, usd(10_000)) for _ in range(3))
    waiting.initiate(usd(10_000))
    closed.initiate(usd(10_000))
    closed.close(usd(10_000))
    again = open_drawer(hotel, closed.drawer, usd(1)).json["cashSessionId"]
    everything = [waiting.session, closed.session, running.session, again]
    day = running.shown()["businessDate"]

    assert listed(hotel) == everything
    assert listed(hotel, cashDrawerId=closed.drawer) == [closed.session, again]
    assert listed(hotel, status="pending_close") == [waiting.session]
    assert listed(hotel, status="closed", businessDate=day) == [closed.session]
    assert listed(hotel, businessDate="2020-01-01") == []
    assert listed(hotel, propertyId=str(hotel.property_id)) == everything
    assert listed(hotel, propertyId=str(uuid4())) == []
    page = hotel.get("/cash-sessions", limit="3").json
    rest = hotel.get("/cash-sessions", limit="3", cursor=page["nextCursor"]).json
    both = [*page["items"], *rest["items"]]
    assert [each["cashSessionId"] for each in both] == everything
    assert rest["nextCursor"] is None


@pytest.mark.req("API-5", "API-3")
def test_refuses_a_cursor_that_no_list_has_given(hotel: Hotel) -> None:
    answer = hotel.get("/cash-sessions", cursor="e30")

    assert_refused(answer, 422, "MELMASTOON.GENERAL.CURSOR_INVALID")


@pytest.mark.req("CASH-1", "CASH-3", "API-10")
def test_shows_a_session_with_its_version_and_what_may_be_signed_next(hotel: Hotel) -> None:
    till = Till.opened(hotel, usd(10_000))
    contexts: list[dict[str, Any]] = [till.shown()["stepUpContexts"]]
    till.initiate(usd(9_500))
    contexts.append(till.shown()["stepUpContexts"])
    till.close(usd(9_500))
    contexts.append(till.shown()["stepUpContexts"])
    till.acknowledge()
    contexts.append(till.shown()["stepUpContexts"])

    given = [{name for name, value in each.items() if value} for each in contexts]
    assert given == [set(), {"close", "returnToOpen"}, {"acknowledgeDiscrepancy"}, set()]
    answer = hotel.get(till.path())
    assert answer.headers["ETag"] == f'"{answer.json["version"]}"'


@pytest.mark.req("API-10")
def test_changes_a_session_only_as_it_was_seen(hotel: Hotel) -> None:
    till = Till.opened(hotel, usd(10_000))
    till.move("drop", usd(1))

    stale = till.move("drop", usd(1), headers={"If-Match": '"1"'})
    fresh = till.move("drop", usd(1), headers={"If-Match": '"2"'})

    assert_refused(stale, 412, "MELMASTOON.GENERAL.VERSION_STALE")
    assert fresh.status_code == 201


@pytest.mark.req("API-3", "SEC-3")
def test_a_session_of_others_is_not_there(hotel: Hotel) -> None:
    till = Till.opened(hotel, usd(10_000))
    before = state(hotel)

    unknown = hotel.get(f"/cash-sessions/{new_id('cds')}")
    elsewhere = hotel.get(till.path(), token=hotel.token(property_ids=[uuid4()]))

    for answer in (unknown, elsewhere):
        assert_refused(answer, 404, "CASH_SESSION_UNKNOWN")
    assert state(hotel) == before


@pytest.mark.req("CASH-2", "API-5")
def test_lists_what_is_due_in_each_drawer_where_nobody_counts_blind(hotel: Hotel) -> None:
    hotel.write_settings(blindCount=False)
    tills = [Till.opened(hotel, usd(cents)) for cents in (100, 200)]
    open_drawer(hotel, new_drawer(hotel))
    euros = {"amountMicro": 5_000_000, "currency": "EUR"}
    assert tills[0].pay(euros, cashSessionId=tills[0].session).status_code == 201

    items = hotel.get("/cash-sessions").json["items"]

    assert [each["expected"] for each in items] == [
        [{"amountMicro": 5_000_000, "currency": "EUR"}, usd(100)],
        [usd(200)],
        [],
    ]


WHO_WAITS = "SELECT query FROM pg_stat_activity WHERE :pid = ANY (pg_blocking_pids(pid))"


@pytest.mark.req("CASH-1", "CASH-2", "CASH-4")
@pytest.mark.parametrize("change", ["move", "count", "close", "send back", "explain"])
def test_whoever_changes_a_session_waits_before_looking_at_it(hotel: Hotel, change: str) -> None:
    """Somebody holds the session. Who looked first and waited then would decide on old news."""
    till = Till.opened(hotel, usd(10_000))
    if change in ("close", "send back", "explain"):
        till.initiate(usd(9_500))
    if change == "explain":
        till.close(usd(9_500))
    calls = {
        "move": partial(till.move, "drop", usd(1)),
        "count": partial(till.initiate, usd(9_500)),
        "close": partial(till.close, usd(9_500)),
        "send back": till.send_back,
        "explain": till.acknowledge,
    }
    with hotel.house.session() as session:
        session.run("BEGIN")
        held = (
            f"SELECT pg_backend_pid() FROM {hotel.schema}.cash_sessions WHERE id = :id FOR UPDATE"
        )
        ((pid,),) = session.run(held, id=till.session)
        with meanwhile(calls[change]) as answer:
            hotel.house.until_waiting(session)
            ((asked,),) = hotel.house.sql(WHO_WAITS, pid=pid)
            session.run("ROLLBACK")

    assert "FOR NO KEY UPDATE" in asked
    assert answer().status_code in (200, 201)
