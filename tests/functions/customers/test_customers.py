"""A customer is written down once for each address, and once told of to the processor (GW-1)."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from common.ports.answers import Failed, Unknown
from common.ports.cards import Linked, Person
from jobs.link_customers import link_customers
from tests.hotel import Hotel, new_id
from tests.paying import a_customer, letters, processor_customer, run_job
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_nothing_personal,
    assert_refused,
    state,
)
from tests.together import at_once

pytestmark = pytest.mark.req("GW-1")

WHO = {"email": "Zarmina@Guest.example", "name": "Zarmina Ahmadi", "phone": "+93 70 123 4567"}


class Processor:
    """A processor that answers as it is told to, and notes whom it is told of."""

    def __init__(self, answer: Linked | Failed | Unknown | Exception) -> None:
        self.answer = answer
        self.told: list[Person] = []

    def link(self, person: Person) -> Any:
        self.told.append(person)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def at(hotel: Hotel) -> Iterator[Callable[[Processor], Hotel]]:
    begun: list[Hotel] = []

    def beside(processor: Processor) -> Hotel:
        house = hotel.house.beside(powers={"cards": processor})
        begun.append(Hotel(house, hotel.tenant_id, hotel.property_id))
        return begun[-1]

    yield beside
    for each in begun:
        each.house.close()


def test_is_written_down_and_then_told_of(hotel: Hotel) -> None:
    answer = hotel.post("/customers", WHO)

    assert answer.status_code == 201, answer.text
    assert (answer.json["email"], answer.json["processor"]) == ("zarmina@guest.example", "pending")
    customer = answer.json["customerId"]
    assert hotel.get(f"/customers/{customer}").json["processor"] == "linked"
    listed = hotel.house.sql(
        "SELECT processor_customer_id FROM billing_central.processor_customers"
        " WHERE tenant_id = :tenant",
        tenant=hotel.tenant_id,
    )
    assert listed == [[processor_customer(hotel, customer)]]
    assert_nothing_personal(hotel, "zarmina", "Ahmadi", "123 4567")
    assert_books_are_right(hotel)


@pytest.mark.req("API-4", "API-9")
def test_answers_a_retry_the_same(hotel: Hotel) -> None:
    body = {**WHO, "id": new_id("cus")}

    assert_answers_once(hotel, "/customers", body, {**body, "name": "Another"})
    assert hotel.rows("SELECT count(*) FROM {s}.customers") == [[1]]


def test_one_address_is_one_customer_however_it_is_written(hotel: Hotel) -> None:
    first = a_customer(hotel, email="zarmina@guest.example")

    refused = hotel.post("/customers", {**WHO, "email": " ZARMINA@guest.EXAMPLE "})

    assert_refused(refused, 409, "CUSTOMER_EMAIL_TAKEN")
    assert refused.json["customerId"] == first


def test_of_many_who_write_it_down_at_once_one_does(hotel: Hotel) -> None:
    answers = at_once([lambda: hotel.post("/customers", WHO) for _ in range(4)])

    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    assert hotel.rows("SELECT count(*) FROM {s}.customers") == [[1]]
    assert_books_are_right(hotel)


@pytest.mark.parametrize("email", ["zarmina", "a@b", "a b@c.de", "a@b..de", "a@@b.de", "é@ü.de,x"])
def test_refuses_what_is_no_address(hotel: Hotel, email: str) -> None:
    assert_refused(hotel.post("/customers", {**WHO, "email": email}), 422, "EMAIL_INVALID")


def test_a_change_is_told_of_as_well(hotel: Hotel, at: Callable[[Processor], Hotel]) -> None:
    customer = a_customer(hotel, email="old@guest.example")
    processor = Processor(Linked(processor_customer(hotel, customer)))

    changed = at(processor).call("PUT", f"/customers/{customer}", WHO)

    assert changed.status_code == 200, changed.text
    assert (changed.json["email"], changed.json["processor"]) == (
        "zarmina@guest.example",
        "pending",
    )
    (told,) = processor.told
    assert (told.email, told.details_version) == ("zarmina@guest.example", 2)
    assert told.processor_customer_id == processor_customer(hotel, customer)
    before = state(hotel, without=("idempotency_keys",))
    same = at(processor).call("PUT", f"/customers/{customer}", WHO)
    assert (same.status_code, len(processor.told)) == (200, 1)
    assert state(hotel, without=("idempotency_keys",)) == before
    assert hotel.get(f"/customers/{customer}").json["phone"] == WHO["phone"]


@pytest.mark.req("API-10")
def test_refuses_a_change_of_what_has_changed(hotel: Hotel) -> None:
    customer, other = a_customer(hotel), a_customer(hotel, email="other@guest.example")
    path = f"/customers/{customer}"

    stale = hotel.call("PUT", path, WHO, headers={"If-Match": '"1"'})
    taken = hotel.call("PUT", path, {**WHO, "email": "other@guest.example"})
    missing = hotel.call("PUT", f"/customers/{new_id('cus')}", WHO)

    assert_refused(stale, 412, "MELMASTOON.GENERAL.VERSION_STALE")
    assert_refused(taken, 409, "CUSTOMER_EMAIL_TAKEN")
    assert taken.json["customerId"] == other
    assert_refused(missing, 404, "CUSTOMER_UNKNOWN")
    assert_refused(hotel.get(f"/customers/{new_id('cus')}"), 404, "CUSTOMER_UNKNOWN")


@pytest.mark.req("GW-5")
@pytest.mark.parametrize("answer", [Unknown(), OSError("the line is cut")])
def test_waits_for_the_job_where_no_answer_comes(
    hotel: Hotel, at: Callable[[Processor], Hotel], answer: Unknown | OSError
) -> None:
    customer = a_customer(at(Processor(answer)))
    hotel.rows("UPDATE {s}.customers SET next_attempt_at = now()")

    assert hotel.get(f"/customers/{customer}").json["processor"] == "pending"
    progress = run_job(hotel, link_customers)

    assert (progress.done, progress.failed) == (1, 0)
    assert hotel.get(f"/customers/{customer}").json["processor"] == "linked"


def test_what_the_processor_refuses_is_not_asked_again(
    hotel: Hotel, at: Callable[[Processor], Hotel]
) -> None:
    here = at(Processor(Failed("email_invalid")))
    customer = a_customer(here)

    shown = hotel.get(f"/customers/{customer}").json

    assert (shown["processor"], shown["refusedCode"]) == ("refused", "email_invalid")
    hotel.rows("UPDATE {s}.customers SET next_attempt_at = now()")
    assert run_job(hotel, link_customers).due == 0
    here.call("PUT", f"/customers/{customer}", {**WHO, "email": f"{letters()}@guest.example"})
    assert hotel.rows("SELECT told_version FROM {s}.customers") == [[2]]


def test_a_processors_customer_is_never_two_tenants(hotel: Hotel) -> None:
    """The directory has one tenant for it, whoever else says that it is theirs."""
    a_customer(hotel)
    ((known,),) = hotel.rows("SELECT processor_customer_id FROM {s}.customers")

    with pytest.raises(Exception, match="processor_customer_is_of_one_tenant"):
        hotel.house.sql(
            "INSERT INTO billing_central.processor_customers VALUES (:known, :other, now())",
            known=known,
            other=uuid4(),
        )
