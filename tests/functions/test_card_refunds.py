"""A card's refund is promised, asked of the processor, and settled once, whoever tells first."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from common.domain.identifiers import RefundId
from common.domain.money import Currency, Money
from common.ports.answers import Answer, Failed, Succeeded, Unknown
from tests.hotel import Hotel, House, new_id, usd
from tests.proofs import assert_books_are_right, assert_refused, state, told, trail
from tests.refunding import ask, card_payment, refund, standing, wanted
from tests.together import at_once

KEPT_ASIDE = ("inbox", "idempotency_keys")
MADE, NOT_MADE = "on_refund_succeeded", "on_refund_failed"


class Processor:
    """A processor that answers as it is told to, and notes what it is asked."""

    def __init__(self, answer: Answer | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, Money]] = []

    def refund(self, refund_id: RefundId, processor_payment_id: str, amount: Money) -> Answer:
        self.asked.append((refund_id, processor_payment_id, amount))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def ask(self, refund_id: RefundId) -> Answer:
        return Unknown()


def at_a_processor(hotel: Hotel, answer: Answer | Exception) -> tuple[Hotel, Processor]:
    processor = Processor(answer)
    return Hotel(
        hotel.house.beside(powers={"gateway": processor}), hotel.tenant_id, hotel.property_id
    ), processor


@pytest.fixture
def silent(hotel: Hotel) -> Iterator[Hotel]:
    """The hotel where no answer of the processor comes back."""
    here, _ = at_a_processor(hotel, Unknown())
    yield here
    here.house.close()


@pytest.fixture
def folio(hotel: Hotel) -> str:
    return hotel.open_folio()


@pytest.fixture
def payment(hotel: Hotel, folio: str) -> str:
    """100.00 by card, as a deposit."""
    return card_payment(hotel, folio, usd(10_000))


def statuses(hotel: Hotel) -> list[str]:
    return [status for _, status in standing(hotel)]


def balance(hotel: Hotel, folio: str) -> Any:
    return hotel.get(f"/folios/{folio}").json["balance"]


@pytest.mark.req("REF-1", "GW-4")
def test_is_promised_first_and_made_by_the_processor_under_its_own_id(
    hotel: Hotel, folio: str, payment: str
) -> None:
    here, processor = at_a_processor(hotel, Succeeded())

    answer = refund(here, folio, payment, usd(4_000))

    assert answer.status_code == 201, answer.text
    assert answer.json["refund"]["status"] == "pending"
    refund_id = answer.json["refund"]["refundId"]
    ((processor_payment,),) = hotel.rows("SELECT processor_payment_id FROM {s}.payments")
    amount = Money(40_000_000, Currency("USD"))
    assert processor.asked == [(refund_id, processor_payment, amount)]
    (shown,) = hotel.get(f"/folios/{folio}").json["refunds"]
    assert (shown["status"], shown["failureCode"]) == ("succeeded", None)
    assert balance(hotel, folio) == usd(-6_000)
    assert told(hotel)[-2:] == ["refund.recorded", "refund.settled"]
    assert hotel.rows("SELECT count(*) FROM {s}.refund_queue") == [[0]]
    assert_books_are_right(hotel)
    here.house.close()


@pytest.mark.req("REF-1", "FOL-6")
def test_that_the_processor_refuses_is_taken_back_and_free_again(hotel: Hotel, folio: str) -> None:
    """100.00 less 40.00 and the 40.00 again; then all of it can be asked for."""
    payment = card_payment(hotel, folio, usd(10_000), "sandbox_declined")

    answer = refund(hotel, folio, payment, usd(4_000))

    assert answer.json["refund"]["status"] == "pending"
    shown = hotel.get(f"/folios/{folio}").json
    assert shown["balance"] == usd(-10_000)
    assert shown["refunds"][0]["failureCode"] == "card_declined"
    lines = [(line["type"], line["amount"]) for line in shown["lines"][1:]]
    assert lines == [("refund", usd(4_000)), ("refund_reversal", usd(-4_000))]
    assert shown["lines"][2]["corrects"] == answer.json["refund"]["refundId"]
    assert refund(hotel, folio, payment, usd(10_000)).status_code == 201
    assert_books_are_right(hotel)


@pytest.mark.req("REF-1")
def test_what_is_promised_counts_while_it_is_pending(
    silent: Hotel, folio: str, payment: str
) -> None:
    """60.00 are promised of 100.00: 40.00 are left, and the balance is without them."""
    refund(silent, folio, payment, usd(6_000))

    assert statuses(silent) == ["pending"]
    assert balance(silent, folio) == usd(-4_000)
    assert_refused(refund(silent, folio, payment, usd(4_001)), 409, "REFUND_EXCEEDS_PAYMENT")
    assert refund(silent, folio, payment, usd(4_000)).status_code == 201
    assert_books_are_right(silent)


@pytest.mark.req("REF-1", "CLO-1")
def test_a_folio_does_not_close_while_one_is_pending(
    silent: Hotel, folio: str, payment: str
) -> None:
    refund(silent, folio, payment, usd(10_000))
    before = state(silent)

    refused = silent.post(f"/folios/{folio}/close")

    assert_refused(refused, 409, "REFUND_PENDING")
    assert state(silent) == before
    ((refund_id, _),) = standing(silent)
    made = {"refundId": refund_id, "folioId": folio}
    assert silent.deliver(MADE, made).status_code == 204
    assert silent.post(f"/folios/{folio}/close").status_code == 200


@pytest.mark.req("REF-1", "CLO-2", "TAX-3")
def test_a_refund_that_failed_is_not_on_the_invoice(hotel: Hotel, folio: str) -> None:
    """100.00 and 10 % are paid by card; 10.00 were to go back, did not, and the folio closes."""
    payment = card_payment(hotel, folio, usd(11_000), "sandbox_declined")
    hotel.charged(folio)
    refund(hotel, folio, payment, usd(1_000))

    closed = hotel.post(f"/folios/{folio}/close")

    assert closed.status_code == 200, closed.text
    payload = hotel.get(f"/invoices/{closed.json['invoiceId']}").json["payload"]
    assert [row["amountMicro"] for row in payload["payments"]] == [110_000_000]
    assert payload["totals"]["paidMicro"] == 110_000_000
    assert_books_are_right(hotel)


@pytest.mark.req("API-4", "REF-1")
@pytest.mark.parametrize("answer", [Succeeded(), Failed("card_declined"), Unknown(), OSError("x")])
def test_is_answered_the_same_for_ever_whatever_became_of_it(
    hotel: Hotel, folio: str, payment: str, answer: Answer | Exception
) -> None:
    here, processor = at_a_processor(hotel, answer)
    body, key = wanted(payment, usd(4_000)), str(uuid4())

    first = ask(here, folio, body, by="amina", key=key)
    after = state(hotel)
    again = ask(here, folio, body, by="amina", key=key)

    assert first.status_code == 201
    assert first.json["refund"]["status"] == "pending"
    assert (again.status_code, again.data) == (201, first.data)
    assert len(processor.asked) == 1
    assert state(hotel) == after
    here.house.close()


@pytest.mark.req("REF-1", "GW-5")
@pytest.mark.parametrize("answer", [Unknown(), OSError("the line is cut")])
def test_waits_for_the_job_where_no_answer_comes(
    hotel: Hotel, folio: str, payment: str, answer: Answer | Exception
) -> None:
    here, _ = at_a_processor(hotel, answer)

    assert refund(here, folio, payment, usd(4_000)).status_code == 201

    assert statuses(hotel) == ["pending"]
    ((attempts, waits),) = hotel.rows(
        "SELECT attempts, next_attempt_at > queued_at FROM {s}.refund_queue"
    )
    assert (attempts, waits) == (int(answer == Unknown()), True)
    assert_books_are_right(hotel)
    here.house.close()


@pytest.mark.req("EVT-3", "REF-1")
@pytest.mark.parametrize(
    ("consumer", "status", "left"), [(MADE, "succeeded", -6_000), (NOT_MADE, "failed", -10_000)]
)
def test_the_processors_event_settles_it(
    silent: Hotel, folio: str, payment: str, consumer: str, status: str, left: int
) -> None:
    refund_id = refund(silent, folio, payment, usd(4_000)).json["refund"]["refundId"]

    answer = silent.deliver(consumer, event(folio, refund_id, consumer))

    assert answer.status_code == 204, answer.text
    assert statuses(silent) == [status]
    assert balance(silent, folio) == usd(left)
    (entry,) = trail(silent, "refund.settled")
    assert entry["actor"] == f"system:{consumer}"
    (fact,) = silent.events("refund.settled")
    assert (fact["data"]["status"], fact["data"]["refundId"]) == (status, refund_id)
    assert_books_are_right(silent)


@pytest.mark.req("EVT-5", "WH-4", "REF-1")
@pytest.mark.parametrize("first", [MADE, NOT_MADE])
@pytest.mark.parametrize("later", [MADE, NOT_MADE])
def test_what_is_said_first_stays(
    silent: Hotel, folio: str, payment: str, first: str, later: str
) -> None:
    """Nothing that comes later turns it round, and nothing is a dead letter."""
    refund_id = refund(silent, folio, payment, usd(4_000)).json["refund"]["refundId"]
    silent.deliver(first, event(folio, refund_id, first))
    before = state(silent, without=KEPT_ASIDE)

    answer = silent.deliver(later, event(folio, refund_id, later))

    assert answer.status_code == 204
    assert state(silent, without=KEPT_ASIDE) == before
    assert silent.letters() == []


@pytest.mark.req("EVT-5", "REF-1")
def test_is_settled_once_when_both_are_told_at_once(
    silent: Hotel, folio: str, payment: str
) -> None:
    refund_id = refund(silent, folio, payment, usd(4_000)).json["refund"]["refundId"]
    calls = [
        partial(silent.deliver, each, event(folio, refund_id, each))
        for each in (MADE, NOT_MADE, MADE, NOT_MADE)
    ]

    answers = at_once(calls)

    assert {answer.status_code for answer in answers} == {204}
    assert told(silent).count("refund.settled") == 1
    assert balance(silent, folio) == usd(-6_000 if statuses(silent) == ["succeeded"] else -10_000)
    assert_books_are_right(silent)


@pytest.mark.req("EVT-5")
@pytest.mark.parametrize("consumer", [MADE, NOT_MADE])
@pytest.mark.parametrize("code", ["REFUND_UNKNOWN", "FOLIO_UNKNOWN"])
def test_an_event_of_a_refund_that_is_not_ours_waits_for_a_person(
    silent: Hotel, folio: str, payment: str, consumer: str, code: str
) -> None:
    refund_id = refund(silent, folio, payment, usd(4_000)).json["refund"]["refundId"]
    # There is such a refund, but not on this folio; or there is no such folio.
    folio = silent.open_folio() if code == "REFUND_UNKNOWN" else new_id("fol")
    before = state(silent)

    assert silent.deliver(consumer, event(folio, refund_id, consumer)).status_code == 204

    assert state(silent) == before
    assert [each.split(":")[0] for each in silent.letters()] == [f"MELMASTOON.BILLING.{code}"]


@pytest.mark.req("EVT-5", "REF-1")
def test_a_late_event_after_the_close_changes_nothing(hotel: Hotel, folio: str) -> None:
    payment = card_payment(hotel, folio, usd(10_000))
    refund_id = refund(hotel, folio, payment, usd(10_000)).json["refund"]["refundId"]
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    before = state(hotel, without=KEPT_ASIDE)

    assert hotel.deliver(NOT_MADE, event(folio, refund_id, NOT_MADE)).status_code == 204

    assert state(hotel, without=KEPT_ASIDE) == before
    assert hotel.letters() == []


def event(folio: str, refund_id: str, consumer: str) -> dict[str, Any]:
    """What the processor's service tells; a field that we do not know is passed over."""
    told_why = {"failureCode": "card_declined"} if consumer == NOT_MADE else {}
    return {"refundId": refund_id, "folioId": folio, "attempt": 2, **told_why}


def test_the_stack_of_a_laptop_has_the_sandbox_and_another_one_must_choose(house: House) -> None:
    """Behind the breaker, whichever it is."""
    from common.runtime.breaking import BreakingGateway
    from common.runtime.settings import ProcessSettings, SettingMissing
    from common.wiring import Wiring

    assert isinstance(house.wiring.gateway, BreakingGateway)
    databases = house.wiring.settings.databases
    with pytest.raises(SettingMissing, match="BILLING_GATEWAY"):
        _ = Wiring(ProcessSettings(stack="google", databases=databases)).gateway
    chosen = Wiring(ProcessSettings(stack="google", databases=databases, gateway="sandbox"))
    assert isinstance(chosen.gateway, BreakingGateway)
    chosen.close()
    with pytest.raises(SettingMissing, match="BILLING_STRIPE_API_KEY"):
        _ = Wiring(ProcessSettings(gateway="stripe", databases=databases)).gateway
