"""Cash from a guest goes into an open drawer, in the transaction that takes it off the folio."""

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.proofs import assert_books_are_right, assert_refused, state, told
from tests.till import OPERATE, Till, new_drawer, open_drawer
from tests.together import at_once, meanwhile

EUROS = {"amountMicro": 40_000_000, "currency": "EUR"}


@pytest.fixture
def till(hotel: Hotel) -> Till:
    return Till.opened(hotel, usd(10_000))


def deposit(hotel: Hotel, who: str, **more: Any) -> Any:
    """Somebody takes 10.00 in cash."""
    body = {"method": "cash", "amount": usd(1_000), "allowCredit": True, **more}
    return hotel.post(f"/folios/{hotel.open_folio()}/payments", body, token=hotel.token(sub=who))


@pytest.mark.req("PAY-1", "PAY-2", "CASH-2", "MON-6")
def test_goes_into_the_drawer_that_the_caller_has_open(till: Till) -> None:
    """A bill of 30.00 and 10 %: 33.00 of cash, and 133.00 in the drawer."""
    folio = till.paid(3_000)

    assert till.hotel.get(f"/folios/{folio}").json["balance"] == usd(0)
    assert till.account() == {"USD": 13_300}
    ((payment, session),) = till.hotel.rows("SELECT id, cash_session_id FROM {s}.payments")
    assert session == till.session
    rows = till.hotel.rows(
        "SELECT debit_account, credit_account, folio_id, cash_session_id, xmin::text"
        " FROM {s}.ledger_entries WHERE source = :id",
        id=payment,
    )
    (transaction,) = till.hotel.rows("SELECT xmin::text FROM {s}.payments")
    assert rows == [[f"cash:{session}", "guest_ledger", folio, session, *transaction]]
    assert_books_are_right(till.hotel)


@pytest.mark.req("PAY-1", "PAY-2", "MON-5")
def test_in_another_currency_moves_that_currencys_float(till: Till) -> None:
    """40.00 EUR at 1.10 are 44.00 USD on the folio, and 40.00 EUR in the drawer."""
    answer = till.pay(EUROS)

    assert answer.status_code == 201, answer.text
    assert answer.json["balance"] == usd(-4_400)
    assert till.account() == {"USD": 10_000, "EUR": 4_000}
    assert_books_are_right(till.hotel)


@pytest.mark.req("PAY-2")
def test_goes_into_the_drawer_that_is_named(till: Till) -> None:
    other = Till.opened(till.hotel, usd(5_000), by="laila")

    answer = deposit(till.hotel, "karim", cashSessionId=other.session)

    assert answer.status_code == 201, answer.text
    assert (till.account(), other.account()) == ({"USD": 10_000}, {"USD": 6_000})


@pytest.mark.req("PAY-2", "SEC-3")
@pytest.mark.parametrize(
    "case",
    [
        "nobody has opened one",
        "somebody else has",
        "the caller has opened two",
        "the named one is unknown",
        "the named one waits for its second person",
        "the caller's own waits for its second person",
        "the named one is closed",
        "it is at another property",
    ],
)
def test_is_refused_without_an_open_drawer_and_changes_nothing(hotel: Hotel, case: str) -> None:
    till, named = Till.opened(hotel, usd(100), by="laila"), None
    who = "karim"
    match case:
        case "the caller has opened two":
            who = "laila"
            assert open_drawer(hotel, new_drawer(hotel), usd(1), by=who).status_code == 201
        case "the named one is unknown":
            named = new_id("cds")
        case "the named one waits for its second person":
            named = till.session
            till.initiate(usd(100), by="laila")
        case "the caller's own waits for its second person":
            who = "laila"
            till.initiate(usd(100), by="laila")
        case "the named one is closed":
            named = till.session
            till.initiate(usd(100), by="laila")
            assert till.close(usd(100), closed_by="laila", by="farid").status_code == 200
        case "it is at another property":
            named, hotel = till.session, _with_a_second_house(hotel)
    folio = hotel.open_folio()
    before = state(hotel)

    body = {"method": "cash", "amount": usd(1_000), "allowCredit": True}
    body |= {"cashSessionId": named} if named else {}
    answer = hotel.post(f"/folios/{folio}/payments", body, token=hotel.token(sub=who))

    assert_refused(answer, 409, "NO_OPEN_CASH_SESSION")
    assert state(hotel) == before


def _with_a_second_house(hotel: Hotel) -> Hotel:
    """The same tenant, and a house of its own in which a folio is opened."""
    (house,) = hotel.settings()["properties"]
    second = {**house, "id": str(uuid4()), "code": "HRT", "name": "Herat"}
    hotel.write_settings(properties=[house, second])
    return replace(hotel, property_id=UUID(second["id"]))


@pytest.mark.req("PAY-2")
def test_nobody_elses_drawer_is_looked_at_for_what_is_not_cash(till: Till) -> None:
    answer = till.pay(usd(500), method="voucher", cashSessionId=new_id("cds"))

    assert answer.status_code == 201
    assert till.account() == {"USD": 10_000}
    assert till.hotel.rows("SELECT cash_session_id FROM {s}.payments") == [[None]]


@pytest.mark.req("API-4", "PAY-2")
def test_answers_a_retry_with_the_first_answer_though_the_drawer_is_closed_since(
    till: Till,
) -> None:
    folio, key, token = till.hotel.open_folio(), str(uuid4()), till.hotel.token(sub="karim")
    body = {"method": "cash", "amount": usd(100), "allowCredit": True}
    first = till.hotel.post(f"/folios/{folio}/payments", body, key=key, token=token)
    till.initiate(usd(10_100))
    till.close(usd(10_100))

    again = till.hotel.post(f"/folios/{folio}/payments", body, key=key, token=token)

    assert (again.status_code, again.data) == (201, first.data)
    assert till.hotel.rows("SELECT count(*) FROM {s}.payments") == [[1]]


@pytest.mark.req("PAY-2", "CASH-2")
def test_many_at_one_drawer_are_all_in_it(till: Till) -> None:
    """100.00 and sixteen times 10.00, of as many clerks, into the drawer that they name."""
    calls = [
        partial(deposit, till.hotel, f"clerk-{n}", cashSessionId=till.session) for n in range(16)
    ]

    answers = at_once(calls)

    assert {answer.status_code for answer in answers} == {201}
    assert till.account() == {"USD": 26_000}
    assert_books_are_right(till.hotel)


@pytest.mark.req("PAY-2")
def test_payments_at_one_drawer_do_not_wait_for_one_another(till: Till) -> None:
    """While one is under way and holds its session, another one comes and goes."""
    with till.hotel.house.session() as session:
        session.run("BEGIN")
        session.run(
            f"SELECT FROM {till.hotel.schema}.cash_sessions WHERE id = :id FOR SHARE",
            id=till.session,
        )
        assert till.pay(usd(100)).status_code == 201
        session.run("ROLLBACK")


@pytest.mark.req("PAY-2", "CASH-2")
def test_the_count_waits_for_a_payment_under_way_and_knows_of_it(till: Till) -> None:
    """110.00 are due when the count is made, though the payment began before and ended after."""
    folio = till.hotel.open_folio()
    ledger = f"LOCK TABLE {till.hotel.schema}.ledger_entries IN SHARE ROW EXCLUSIVE MODE"
    with till.hotel.house.session() as session:
        session.run("BEGIN")
        session.run(ledger)
        with meanwhile(partial(till.pay, usd(1_000), folio)) as paid:
            till.hotel.house.until_waiting(session, 1)
            with meanwhile(partial(till.initiate, usd(11_000))) as counted:
                till.hotel.house.until_waiting(session, 2)
                session.run("ROLLBACK")

    assert (paid().status_code, counted().status_code) == (201, 200)
    assert till.close(usd(11_000)).json["result"] == "balanced"
    assert_books_are_right(till.hotel)


@pytest.mark.req("PAY-2", "CASH-1", "CASH-2")
def test_a_late_payment_beside_the_count_is_in_the_count_or_refused(hotel: Hotel) -> None:
    """Ten times: what is due is the float and what was taken, whoever came first."""
    for _ in range(10):
        till = Till.opened(hotel, usd(10_000), by=f"karim-{uuid4()}")
        folio = hotel.open_folio()

        paid, counted = at_once(
            [partial(till.pay, usd(1_000), folio), partial(till.initiate, usd(10_000))]
        )

        assert counted.status_code == 200, counted.text
        closed = till.close(usd(10_000))
        (result,) = closed.json["results"]
        taken = paid.status_code == 201
        assert taken or paid.json["code"].endswith("NO_OPEN_CASH_SESSION")
        assert result["expected"] == usd(11_000 if taken else 10_000)
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-1", "CASH-3")
def test_tells_what_was_paid_and_not_into_which_drawer(till: Till) -> None:
    """Or who listens could add up what is in it."""
    till.paid(3_000)

    assert told(till.hotel)[-1] == "payment.recorded"
    (event,) = till.hotel.events("payment.recorded")
    assert event["data"]["paid"] == usd(3_300)
    assert till.session not in str(event)


@pytest.mark.req("SEC-2", "PAY-2")
def test_needs_no_right_to_operate_a_drawer(till: Till) -> None:
    """Whoever may write folios takes cash; opening and counting drawers is another right."""
    folio = till.hotel.open_folio()
    body = {"method": "cash", "amount": usd(100), "allowCredit": True}

    answer = till.hotel.post(
        f"/folios/{folio}/payments",
        body,
        token=till.hotel.token("billing.folio.write", sub="karim"),
    )

    assert answer.status_code == 201
    refused = till.hotel.get(till.path(), token=till.hotel.token("billing.folio.write"))
    assert_refused(refused, 403, "MELMASTOON.IAM.SCOPE_MISSING")
    assert refused.json["scope"] == OPERATE
