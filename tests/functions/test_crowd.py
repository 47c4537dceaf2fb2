"""A busy bar: charges that crowd share a transaction, and nobody can tell (FOL-5)."""

from functools import partial
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from common.ports.transactions import Caller, CrossTenantRow, DatabaseAway, Opening, StoredAnswer
from common.runtime.execute import Call, Runner
from common.runtime.system import SystemActor
from tests.functions.crowd import call_together, post_together
from tests.hotel import Hotel, charge, new_id, usd
from tests.proofs import GENERAL, assert_books_are_right, assert_refused, trail
from tests.together import meanwhile


def _transactions(hotel: Hotel, folio: str) -> list[int]:
    """How many charges of a folio each transaction wrote, in their order."""
    rows = hotel.rows(
        "SELECT count(*) FROM {s}.folio_lines WHERE folio_id = :f AND type = 'charge'"
        " GROUP BY xmin::text ORDER BY min(sequence)",
        f=folio,
    )
    return [row[0] for row in rows]


def _balances(answers: list[TestResponse]) -> dict[int, Any]:
    """The balance after each charge, by the number of its last line."""
    return {a.json["lines"][-1]["sequence"]: a.json["balance"] for a in answers}


@pytest.mark.req("FOL-5", "FOL-4")
def test_shares_transactions_of_25_and_answers_each_as_if_it_were_alone(
    busy_hotel: Hotel,
) -> None:
    """30 charges of 10.00 with 1.00 of tax: after the nth the folio owes n times 11.00."""
    folio = busy_hotel.open_folio()
    path = f"/folios/{folio}/charges"

    answers = post_together(busy_hotel, path, [charge("food_beverage", 1_000)] * 30)

    assert {answer.status_code for answer in answers} == {201}
    assert _transactions(busy_hotel, folio) == [25, 5]
    assert _balances(answers) == {2 * n: usd(1_100 * n) for n in range(1, 31)}
    assert {answer.headers["ETag"] for answer in answers} == {f'"{n}"' for n in range(2, 32)}
    shown = {line["lineId"]: line for line in busy_hotel.get(f"/folios/{folio}").json["lines"]}
    for answer in answers:
        assert [shown[line["lineId"]] for line in answer.json["lines"]] == answer.json["lines"]
    assert_books_are_right(busy_hotel)


@pytest.mark.req("FOL-5")
def test_leaves_the_rest_alone_when_one_of_25_is_refused(busy_hotel: Hotel) -> None:
    """One for a folio that is closed, one without a tax rule, one for an unknown window."""
    folio, closed = busy_hotel.open_folio(), busy_hotel.open_folio()
    busy_hotel.post(f"/folios/{closed}/close")
    path = f"/folios/{folio}/charges"
    calls = [partial(busy_hotel.post, path, charge("spa", 100)) for _ in range(22)]
    calls.insert(3, partial(busy_hotel.post, f"/folios/{closed}/charges", charge()))
    calls.insert(9, partial(busy_hotel.post, path, charge("deposit")))
    calls.insert(17, partial(busy_hotel.post, path, charge(window="nowhere")))

    answers = call_together(busy_hotel, calls)

    refused = {place: answers.pop(place) for place in (17, 9, 3)}
    assert_refused(refused[3], 409, "FOLIO_CLOSED")
    assert_refused(refused[9], 422, "TAX_RULE_MISSING")
    assert_refused(refused[17], 422, "WINDOW_UNKNOWN")
    assert {answer.status_code for answer in answers} == {201}
    assert _transactions(busy_hotel, folio) == [22]
    (missing,) = busy_hotel.events("tax_rule.missing")  # a refusal is followed up as if alone
    assert (missing["subject"], missing["data"]["chargeKind"]) == (folio, "deposit")
    assert _balances(answers) == {2 * n: usd(110 * n) for n in range(1, 23)}
    assert_books_are_right(busy_hotel)


@pytest.mark.req("FOL-5", "FOL-3")
def test_tries_each_alone_when_the_database_refuses_one(busy_hotel: Hotel) -> None:
    """The same slip twice is found at the commit, where it takes the whole crowd with it."""
    folio = busy_hotel.open_folio()
    slip = charge("food_beverage", source="pos", externalReference="bon-1")
    bodies = [charge("spa", 100)] * 6 + [slip, slip]

    answers = post_together(busy_hotel, f"/folios/{folio}/charges", bodies)

    assert {answer.status_code for answer in answers[:6]} == {201}
    assert sorted(answer.status_code for answer in answers[6:]) == [201, 409]
    assert len(_transactions(busy_hotel, folio)) == 7
    assert_books_are_right(busy_hotel)


@pytest.mark.req("FOL-5", "API-4", "API-9")
def test_keeps_keys_and_ids_apart_within_a_crowd(busy_hotel: Hotel) -> None:
    folio = busy_hotel.open_folio()
    path = f"/folios/{folio}/charges"
    first = busy_hotel.post(path, charge(), key="before")
    twice = charge(id=new_id("chg"))
    calls = [
        partial(busy_hotel.post, path, charge(), key="before"),
        partial(busy_hotel.post, path, charge("spa"), key="before"),
        partial(busy_hotel.post, path, charge("spa"), key="fresh"),
        partial(busy_hotel.post, path, twice),
        partial(busy_hotel.post, path, twice),
    ]

    replayed, reused, fresh, *created = call_together(busy_hotel, calls)

    assert (replayed.data, replayed.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert_refused(reused, 422, GENERAL + "IDEMPOTENCY_KEY_REUSED")
    assert fresh.status_code == 201
    done = [answer for answer in created if answer.status_code == 201]
    assert len({answer.data for answer in done}) == 1
    for answer in created:
        if answer not in done:
            assert_refused(answer, 409, GENERAL + "IDEMPOTENCY_IN_PROGRESS")
    assert busy_hotel.post(path, charge("spa"), key="fresh").data == fresh.data
    assert_books_are_right(busy_hotel)


@pytest.mark.req("FOL-5", "AUD-1", "SEC-3")
def test_does_what_each_of_a_crowd_may_do(busy_hotel: Hotel) -> None:
    """Each charge is told under the name of who posted it; who may not, may not."""
    folio = busy_hotel.open_folio()
    path = f"/folios/{folio}/charges"
    stranger = busy_hotel.token(sub="stranger", property_ids=[])
    calls = [
        partial(busy_hotel.post, path, charge("spa", 100), token=busy_hotel.token(sub=sub))
        for sub in ("abdul", "laila", "omid")
    ]
    calls.append(partial(busy_hotel.post, path, charge(), token=stranger))

    *answers, refused = call_together(busy_hotel, calls)

    assert {answer.status_code for answer in answers} == {201}
    assert_refused(refused, 404, "FOLIO_UNKNOWN")
    posted = [e["actor"] for e in trail(busy_hotel) if e["aggregate_id"] == folio]
    assert sorted(posted) == ["abdul", "clerk", "laila", "omid"]


@pytest.mark.req("FOL-5")
def test_changes_nothing_for_folios_that_stand_side_by_side(busy_hotel: Hotel) -> None:
    folios = [busy_hotel.open_folio() for _ in range(5)]
    calls = [
        partial(busy_hotel.post, f"/folios/{folio}/charges", charge("spa", 100))
        for folio in folios * 4
    ]

    answers = call_together(busy_hotel, calls)

    assert {answer.status_code for answer in answers} == {201}
    for folio in folios:
        assert busy_hotel.get(f"/folios/{folio}").json["balance"] == usd(440)
        assert _transactions(busy_hotel, folio) == [4]
    assert_books_are_right(busy_hotel)


@pytest.mark.req("FOL-5")
@pytest.mark.parametrize("tries", [0, 1], ids=["at_once", "after_a_try_that_failed"])
def test_waits_once_for_a_database_that_is_away(tries: int) -> None:
    """It takes seconds to find out, and longer still behind a firewall: not for each of 25."""

    class GoesAway:
        opened = 0

        def open(self, _opening: Opening) -> Any:
            self.opened += 1
            raise DatabaseAway() if self.opened > tries else CrossTenantRow()

    transactions: Any = GoesAway()
    call: Any = Call(
        use_case=lambda _request, _tx: None,
        request=None,
        caller=Caller(actor=SystemActor.named("test", UUID(int=1))),
        tenant_id=UUID(int=1),
        answer=lambda _: StoredAnswer(b"", 201, {}, ""),
    )

    told = Runner(transactions, transactions).run_together([call] * 25)

    assert [type(each) for each in told] == [DatabaseAway] * 25
    assert transactions.opened == 1 + tries


@pytest.mark.req("FOL-5", "FOL-4")
def test_holds_its_folios_in_one_order_whichever_is_charged_first(busy_hotel: Hotel) -> None:
    """A crowd on another instance comes the other way round, and neither waits for the other. While
    the first folio is somebody else's, a crowd that came to the last one before holds none."""
    first, last = sorted(busy_hotel.open_folio() for _ in range(2))
    calls = [
        partial(busy_hotel.post, f"/folios/{folio}/charges", charge("spa", 100))
        for folio in (last, first, last)
    ]
    row = f"SELECT FROM {busy_hotel.schema}.folios WHERE id = :id FOR UPDATE"
    with busy_hotel.house.session() as holder, busy_hotel.house.session() as other:
        holder.run("BEGIN")
        holder.run(row, id=first)
        with meanwhile(lambda: call_together(busy_hotel, calls)) as answers:
            busy_hotel.house.until_waiting(holder)
            other.run(f"{row} NOWAIT", id=last)
            holder.run("ROLLBACK")

    assert [answer.status_code for answer in answers()] == [201, 201, 201]
    assert [answer.json["folioId"] for answer in answers()] == [last, first, last]
    assert _transactions(busy_hotel, last) == [2]
    assert_books_are_right(busy_hotel)
