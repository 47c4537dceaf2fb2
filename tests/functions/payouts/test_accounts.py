"""An account at the processor is one tenant's, whoever else names it (PO-1, WH-3)."""

from uuid import uuid4

import pytest

from tests.hotel import Hotel
from tests.paying_out import account_told, ask, connect, enabled, held
from tests.proofs import assert_books_are_right, state, told, trail
from tests.security.answers import is_problem
from tests.together import at_once
from tests.webhooks import Webhook, event, kept

pytestmark = pytest.mark.req("PO-1", "WH-3")
TAKEN = "MELMASTOON.BILLING.PAYOUT_ACCOUNT_TAKEN"


@pytest.fixture
def other(hotel: Hotel) -> Hotel:
    """A second tenant of the house."""
    return hotel.house.new_hotel()


def fresh() -> str:
    return f"acct_{uuid4().hex[:16]}"


@pytest.mark.req("SEC-3", "AUD-1")
def test_a_second_tenant_that_names_it_is_refused_and_that_is_written_down(
    hotel: Hotel, other: Hotel
) -> None:
    account = fresh()
    assert connect(hotel, account).status_code == 200
    before = state(other, without=("audit_entries", "idempotency_keys"))

    answers = [connect(other, account) for _ in range(2)]

    for answer in answers:
        is_problem(answer, 409, code=TAKEN)
    assert state(other, without=("audit_entries", "idempotency_keys")) == before
    refused = trail(other, "security.attempt_refused")
    assert len(refused) == 2
    assert connect(hotel, account).json["processorAccountId"] == account
    assert_books_are_right(hotel)
    assert_books_are_right(other)


def test_of_two_tenants_at_once_one_has_it(hotel: Hotel, other: Hotel) -> None:
    account = fresh()

    answers = at_once([lambda: connect(hotel, account), lambda: connect(other, account)])

    assert sorted(each.status_code for each in answers) == [200, 409]
    rows = hotel.rows("SELECT 1 FROM {s}.payout_accounts")
    assert len(rows + other.rows("SELECT 1 FROM {s}.payout_accounts")) == 1


def test_what_the_processor_tells_of_it_in_anothers_name_is_put_aside(
    hotel: Hotel, other: Hotel
) -> None:
    """Its metadata name the other tenant, which has connected an account of its own."""
    account = enabled(hotel)
    connect(other, fresh())
    held(other, 50_000)
    moved = {"id": "po_1", "object": "payout", "metadata": {"tenantId": str(other.tenant_id)}}

    for sent in (
        account_told(other, account, 1_772_400_000),
        {**event("payout.paid", moved), "account": account},
    ):
        assert Webhook(hotel).send(sent).json["outcome"] == "quarantined"

    assert kept(other) == []
    is_problem(ask(other, 1_000), 409, code="MELMASTOON.BILLING.PAYOUT_ACCOUNT_NOT_VERIFIED")
    reasons = hotel.house.sql(
        "SELECT reason FROM billing_central.dead_letters WHERE strpos(message, :id) > 0", id=account
    )
    assert len(reasons) == 2
    assert all("account" in reason for (reason,) in reasons)


def test_a_payout_that_names_nobody_is_heard_by_whose_account_it_has_left(hotel: Hotel) -> None:
    """The processor pays out by itself what nobody asked for: it is kept, and changes nothing."""
    account = enabled(hotel)
    before = told(hotel)
    sent = event("payout.paid", {"id": "po_1", "object": "payout", "status": "paid"})

    answers = [Webhook(hotel).send({**sent, "account": each}) for each in (account, fresh())]

    assert [each.json["outcome"] for each in answers] == ["applied", "quarantined"]
    assert told(hotel) == before


def test_a_slip_of_the_pen_is_given_up_and_a_proven_account_never(
    hotel: Hotel, other: Hotel
) -> None:
    """What was never proven is the other's for the asking once another one took its place; and its
    own tenant goes back to what was proven."""
    slip = fresh()
    connect(hotel, slip)
    proven = enabled(hotel)
    connect(hotel, fresh())

    assert connect(other, slip).status_code == 200
    is_problem(connect(other, proven), 409, code=TAKEN)
    assert connect(hotel, proven).status_code == 200
    is_problem(connect(hotel, slip), 409, code=TAKEN)
    assert hotel.house.sql(
        "SELECT tenant_id, proven_at IS NULL FROM billing_central.processor_accounts"
        " WHERE processor_account_id IN (:slip, :proven) ORDER BY proven_at IS NULL",
        slip=slip,
        proven=proven,
    ) == [[hotel.tenant_id, False], [other.tenant_id, True]]
    assert_books_are_right(hotel)
    assert_books_are_right(other)


def test_the_same_connection_again_is_answered_the_same(hotel: Hotel) -> None:
    body = {"processorAccountId": fresh()}

    first, again = (hotel.post("/payout-account", body, key="once") for _ in range(2))

    assert (first.status_code, first.json) == (200, again.json)
    assert told(hotel).count("payout_account.connected") == 1
