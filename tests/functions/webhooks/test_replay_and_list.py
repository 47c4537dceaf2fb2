"""Platform engineers see the processor's events, and run one again (WH-6)."""

from typing import Any

import pytest

from tests.hotel import Hotel, new_id
from tests.proofs import told
from tests.security.answers import is_problem
from tests.webhooks import Webhook, captured, event, kept, paid_cents

ADMIN = "platform.webhook.admin"


def replay(hotel: Hotel, event_id: str, **more: Any) -> Any:
    return hotel.post("/webhooks/replay", {"eventId": event_id}, **more)


@pytest.mark.req("WH-6")
def test_a_replay_of_an_event_that_was_applied_changes_nothing(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    sent = captured(hotel, folio, 5_000)
    Webhook(hotel).send(sent)
    before = told(hotel)

    answers = [replay(hotel, sent["id"]) for _ in range(2)]

    assert [each.json for each in answers] == 2 * [{"eventId": sent["id"], "outcome": "repeated"}]
    assert (paid_cents(hotel, folio), told(hotel)) == (5_000, before)
    assert kept(hotel) == [["payment_intent.succeeded", ["applied", "repeated", "repeated"]]]


@pytest.mark.req("WH-6", "API-4")
def test_a_replay_that_is_sent_again_under_its_key_is_answered_the_same(hotel: Hotel) -> None:
    sent = captured(hotel, hotel.open_folio(), 5_000)
    Webhook(hotel).send(sent)

    first, second = (replay(hotel, sent["id"], key="once") for _ in range(2))

    assert first.json == second.json
    assert second.headers["Idempotency-Replayed"] == "true"
    assert kept(hotel) == [["payment_intent.succeeded", ["applied", "repeated"]]]


@pytest.mark.req("WH-6", "WH-2")
def test_an_event_that_was_refused_is_applied_once_its_reason_is_gone(hotel: Hotel) -> None:
    """A desktop was offline: its folio, with the id that it made, comes after the payment."""
    folio = new_id("fol")
    sent = captured(hotel, folio, 5_000)
    assert Webhook(hotel).send(sent).json["outcome"] == "refused"
    is_problem(replay(hotel, sent["id"]), 404, code="MELMASTOON.BILLING.FOLIO_UNKNOWN")
    assert hotel.open_folio(id=folio) == folio

    answer = replay(hotel, sent["id"])

    assert answer.json["outcome"] == "applied"
    assert paid_cents(hotel, folio) == 5_000
    assert Webhook(hotel).send(sent).json["outcome"] == "duplicate"


@pytest.mark.req("WH-6", "SEC-2", "TEN-2")
def test_an_event_is_seen_and_replayed_in_its_own_house_by_who_may(hotel: Hotel) -> None:
    sent = captured(hotel, hotel.open_folio(), 5_000)
    Webhook(hotel).send(sent)
    other = hotel.house.new_hotel()

    is_problem(replay(other, sent["id"]), 404, code="MELMASTOON.BILLING.WEBHOOK_UNKNOWN")
    assert other.get("/webhooks/events").json["items"] == []
    is_problem(hotel.get("/webhooks/events", token=hotel.token("billing.admin")), 403)
    is_problem(replay(hotel, sent["id"], token=hotel.token("billing.admin")), 403)


@pytest.mark.req("WH-6", "API-5")
def test_lists_events_in_the_order_of_their_coming_with_what_became_of_them(hotel: Hotel) -> None:
    line = Webhook(hotel)
    good = captured(hotel, hotel.open_folio(), 5_000)
    bad = captured(hotel, "fol_none", 100)
    other = event("payout.paid", {"id": "po", "metadata": {"tenantId": str(hotel.tenant_id)}})
    for each in (good, bad, other, bad):
        assert line.send(each).status_code == 200

    token = hotel.token(ADMIN)
    first = hotel.get("/webhooks/events", token=token, limit="2").json
    rest = hotel.get("/webhooks/events", token=token, limit="2", cursor=first["nextCursor"]).json

    seen = first["items"] + rest["items"]
    assert [each["eventId"] for each in seen] == [good["id"], bad["id"], other["id"]]
    assert [(each["outcome"], each["attempts"]) for each in seen] == [
        ("applied", 1),
        ("refused", 2),
        ("applied", 1),
    ]
    assert seen[1]["code"] == "MELMASTOON.BILLING.FOLIO_UNKNOWN"
    assert (seen[0]["apiVersion"], seen[0]["livemode"]) == ("2026-08-26.basil", False)
    assert rest["nextCursor"] is None
    refused = hotel.get("/webhooks/events", token=token, outcome="refused").json["items"]
    assert [each["eventId"] for each in refused] == [bad["id"]]
    payouts = hotel.get("/webhooks/events", token=token, type="payout.paid").json["items"]
    assert [each["eventId"] for each in payouts] == [other["id"]]
    assert "amount" not in str(seen)
