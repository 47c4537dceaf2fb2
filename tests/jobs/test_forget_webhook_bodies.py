"""What the processor's events said is kept for 90 days; that they came, for ever (WH-6)."""

import threading
from collections.abc import Callable
from datetime import date

import pytest

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from jobs import forget_webhook_bodies
from tests.hotel import Hotel
from tests.proofs import assert_books_are_right, told
from tests.security.answers import is_problem
from tests.together import at_once
from tests.webhooks import Webhook, captured, kept, paid_cents

pytestmark = pytest.mark.req("WH-6", "JOB-1")
Clock = Callable[[str], None]


def forget(hotel: Hotel, as_of: date | None = None) -> Progress:
    """Run the job for this hotel."""
    return hotel.house.wiring.job_shell.run(
        declaration_of(forget_webhook_bodies.forget_webhook_bodies),  # type: ignore[arg-type] # a job's declaration
        Orders(tenants=(hotel.tenant_id,), as_of=as_of),
        stop=threading.Event(),
        tell=lambda _: None,
    )


def bodies(hotel: Hotel) -> list[str]:
    """The events whose bodies are kept."""
    return [row[0] for row in hotel.rows("SELECT event_id FROM {s}.webhook_bodies ORDER BY 1")]


@pytest.mark.req("WH-2")
def test_the_body_goes_after_90_days_and_the_event_still_applies_once(
    hotel: Hotel, clock: Clock
) -> None:
    """Kept until 90 days are over; it goes then, and 100 days later nothing is paid twice."""
    clock("2026-03-01T10:00:00Z")
    folio = hotel.open_folio()
    sent = captured(hotel, folio, 5_000)
    assert Webhook(hotel).send(sent).json["outcome"] == "applied"
    clock("2026-05-30T09:59:00Z")
    assert (forget(hotel).due, bodies(hotel)) == (0, [sent["id"]])
    clock("2026-05-30T10:01:00Z")
    before = told(hotel)

    done = forget(hotel)

    assert (done.done, done.exit_code, bodies(hotel)) == (1, 0, [])
    assert (
        hotel.post("/webhooks/replay", {"eventId": sent["id"]})
        .json["code"]
        .endswith("WEBHOOK_BODY_GONE")
    )
    clock("2026-06-09T10:00:00Z")
    assert Webhook(hotel).send(sent).json["outcome"] == "duplicate"
    assert (paid_cents(hotel, folio), told(hotel)) == (5_000, before)
    assert kept(hotel) == [["payment_intent.succeeded", ["applied"]]]
    (shown,) = hotel.get("/webhooks/events").json["items"]
    assert (shown["eventId"], shown["outcome"]) == (sent["id"], "applied")
    assert forget(hotel).due == 0
    assert_books_are_right(hotel)


def test_one_that_was_refused_is_not_run_again_but_taken_when_it_is_sent_again(
    hotel: Hotel, clock: Clock
) -> None:
    clock("2026-03-01T10:00:00Z")
    folio = hotel.open_folio()
    sent = captured(hotel, "fol_none", 5_000)
    assert Webhook(hotel).send(sent).json["outcome"] == "refused"
    clock("2026-06-09T10:00:00Z")
    forget(hotel)

    gone = hotel.post("/webhooks/replay", {"eventId": sent["id"]})
    sent["data"]["object"]["metadata"]["folioId"] = folio
    again = [Webhook(hotel).send(sent).json["outcome"] for _ in range(2)]

    is_problem(gone, 409, code="MELMASTOON.BILLING.WEBHOOK_BODY_GONE")
    assert again == ["applied", "duplicate"]
    assert paid_cents(hotel, folio) == 5_000


def test_many_go_in_batches_by_two_runs_at_once_and_the_young_stay(
    hotel: Hotel, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five are old and go by twos, in three transactions or more; one of today stays, whatever day
    somebody says that it is."""
    monkeypatch.setattr(forget_webhook_bodies, "BATCH", 2)
    clock("2026-03-01T10:00:00Z")
    for _ in range(5):
        Webhook(hotel).send(captured(hotel, "fol_none", 100))
    clock("2026-06-09T10:00:00Z")
    young = captured(hotel, "fol_none", 100)
    Webhook(hotel).send(young)
    assert forget(hotel, date(2026, 5, 30)).due == 0

    done = at_once([lambda: forget(hotel, date(2030, 1, 1))] * 2)

    assert [each.exit_code for each in done] == [0, 0]
    assert max(each.done for each in done) >= 1
    assert sum(each.done for each in done) >= 3
    assert bodies(hotel) == [young["id"]]
    assert len(kept(hotel)) == 6
    assert_books_are_right(hotel)


def test_one_hotels_run_leaves_another_hotels_alone(hotel: Hotel, clock: Clock) -> None:
    clock("2026-03-01T10:00:00Z")
    other = hotel.house.new_hotel()
    for each in (hotel, other):
        Webhook(each).send(captured(each, "fol_none", 100))
    clock("2026-06-09T10:00:00Z")

    forget(hotel)

    assert (len(bodies(hotel)), len(bodies(other))) == (0, 1)
