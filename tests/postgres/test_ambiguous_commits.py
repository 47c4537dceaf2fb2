"""A commit whose answer is lost: nobody knows, and yet everything happens exactly once (API-4)."""

import random
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from tests.hotel import Hotel, House, charge, usd
from tests.postgres.instances import at
from tests.postgres.proxy import Asked, Cut, Proxy
from tests.together import until

pytestmark = pytest.mark.req("API-4", "TEN-2b")

INTENTS = 300
TRIES_MAX = 20
HELD_KEYS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


def commits_only(cut: Callable[[], Cut]) -> Callable[[Asked], Cut]:
    return lambda asked: cut() if asked.commits else Cut.NOWHERE


def test_300_charges_over_a_line_that_is_cut_at_every_other_commit_happen_once_each(
    hotel: Hotel, behind: House, proxy: Proxy
) -> None:
    """Each charge has its own amount: 1 + 2 + ... + 300 = 45,150 cents."""
    folio = hotel.open_folio()
    through = at(behind, hotel)
    dice = random.Random(20_260_301)
    cuts: list[Cut] = []

    def cut() -> Cut:
        cuts.append(dice.choice([Cut.NOWHERE, Cut.BEFORE_THE_SERVER, Cut.BEFORE_THE_CLIENT]))
        return cuts[-1]

    proxy.where = commits_only(cut)
    for cents in range(1, INTENTS + 1):
        body, key = charge(cents=cents), f"intent-{cents}"
        assert insist(through, f"/folios/{folio}/charges", body, key).status_code == 201

    posted = hotel.rows("SELECT amount_micro / 10000 FROM {s}.folio_lines WHERE type = 'charge'")
    assert sorted(row[0] for row in posted) == list(range(1, INTENTS + 1))
    assert sum(row[0] for row in posted) == 45_150
    assert len(hotel.events("charge.posted")) == INTENTS
    assert cuts.count(Cut.BEFORE_THE_SERVER) > INTENTS / 3
    assert cuts.count(Cut.BEFORE_THE_CLIENT) > INTENTS / 3


def insist(hotel: Hotel, path: str, body: object, key: str) -> TestResponse:
    """Send until it is answered, as a client does that has a key and heeds Retry-After.

    A server that has not yet noticed that its line was cut still holds the key: 409.
    """
    for _ in range(TRIES_MAX):
        answer = hotel.post(path, body, key=key)
        if answer.status_code not in (503, 409):
            break
        until(lambda: hotel.house.sql(HELD_KEYS) == [[0]])
    return answer


@pytest.mark.parametrize(
    ("cut", "replayed"), [(Cut.BEFORE_THE_SERVER, None), (Cut.BEFORE_THE_CLIENT, "true")]
)
def test_a_commit_that_is_cut_once_is_settled_before_the_caller_hears_anything(
    hotel: Hotel, behind: House, proxy: Proxy, cut: Cut, replayed: str | None
) -> None:
    """The runner runs it again with the key: a stored answer says that it had taken effect."""
    folio = hotel.open_folio()
    cuts = iter([cut])
    proxy.where = commits_only(lambda: next(cuts, Cut.NOWHERE))

    answer = insist(at(behind, hotel), f"/folios/{folio}/charges", charge(), "once")

    assert (answer.status_code, answer.headers.get("Idempotency-Replayed")) == (201, replayed)
    assert answer.json["balance"] == usd(11_000)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(11_000)


def test_without_a_key_an_unknown_outcome_is_told_and_not_tried_again(
    hotel: Hotel, behind: House, proxy: Proxy
) -> None:
    """Opening a walk-in's folio asks for no key: two folios would be worse than a 503."""
    cuts = iter([Cut.BEFORE_THE_CLIENT])
    proxy.where = commits_only(lambda: next(cuts, Cut.NOWHERE))
    body = {"propertyId": str(hotel.property_id), "guest": {"name": "A. Guest"}}

    answer = at(behind, hotel).post("/folios", body, key=None)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert hotel.rows("SELECT count(*) FROM {s}.folios") == [[1]]


@pytest.mark.parametrize("trip", [0, 1])
def test_a_line_that_is_cut_before_the_commit_is_not_noticed_by_the_caller(
    hotel: Hotel, behind: House, proxy: Proxy, trip: int
) -> None:
    """Nothing had been written: it is run again from the beginning, key or no key."""
    folio = hotel.open_folio()
    through = at(behind, hotel)
    through.get(f"/folios/{folio}")
    cuts = iter([Cut.NOWHERE] * trip + [Cut.BEFORE_THE_SERVER])
    proxy.where = lambda asked: next(cuts, Cut.NOWHERE)

    answer = through.post(f"/folios/{folio}/charges", charge())

    assert answer.status_code == 201
    assert behind.wiring.pools["main"].discarded == 1


def test_a_database_that_stays_away_is_a_503_and_no_effect(
    hotel: Hotel, behind: House, proxy: Proxy
) -> None:
    folio = hotel.open_folio()
    proxy.where = lambda asked: Cut.BEFORE_THE_SERVER

    answer = at(behind, hotel).post(f"/folios/{folio}/charges", charge())

    assert answer.status_code == 503
    assert answer.json["code"] == "MELMASTOON.GENERAL.TEMPORARILY_UNAVAILABLE"
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(0)
