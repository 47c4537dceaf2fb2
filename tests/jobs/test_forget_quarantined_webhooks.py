"""What quarantined events said is kept for 90 days; that they came, and why, for ever (WH-6)."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.domain.webhook import QUARANTINED_BY
from common.local.functions import http_declarations
from common.ports.dead_letters import LetterForgotten
from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from common.wiring import Wiring
from jobs import forget_quarantined_webhooks
from tests.hotel import Hotel
from tests.jobs.cell import Cell
from tests.proofs import assert_books_are_right
from tests.security.answers import is_problem
from tests.together import at_once
from tests.webhooks import Webhook, event

pytestmark = pytest.mark.req("WH-6", "JOB-1")
Clock = Callable[[str], None]
SAID = json.dumps({"eventId": "evt_1", "type": "payout.paid", "payload": '{"id":"po_1"}'})
LEFT = {"eventId": "evt_1", "type": "payout.paid"}
LETTERS = """
SELECT consumer, message_id, reason, received_at, message, forgotten_at
FROM billing_central.dead_letters
WHERE message_id = :id
"""


def forget(wiring: Wiring) -> Progress:
    """Run the job under the job's login."""
    return wiring.job_shell.run(
        declaration_of(forget_quarantined_webhooks.forget_quarantined_webhooks),  # type: ignore[arg-type] # a job's declaration
        Orders(),
        stop=threading.Event(),
        tell=lambda _: None,
    )


def moved_to(wiring: Wiring, instant: datetime) -> None:
    """Let the cell's clock show an instant."""
    clock: Any = wiring.clock
    clock.move(round((instant - clock.now()).total_seconds()))


def test_the_body_goes_after_90_days_and_all_else_stays(
    hotel: Hotel, clock: Clock, operators: Wiring
) -> None:
    """Kept until 90 days are over; it goes then, and nothing brings it back or runs it again."""
    clock("2026-03-01T10:00:00Z")
    sent = event("payout.paid", {"id": "po_1", "object": "payout", "amount": 4_711})
    assert Webhook(hotel).send(sent).json["outcome"] == "quarantined"
    clock("2026-05-30T09:59:00Z")
    forget(operators)
    (before,) = hotel.house.sql(LETTERS, id=sent["id"])
    assert ("4711" in before[4], before[5]) == (True, None)
    clock("2026-05-30T10:01:00Z")

    done = forget(operators)

    (after,) = hotel.house.sql(LETTERS, id=sent["id"])
    assert (done.exit_code, done.done >= 1) == (0, True)
    assert after[:4] == before[:4]
    kept = json.loads(before[4])
    del kept["payload"]
    assert (json.loads(after[4]), after[4].count("4711")) == (kept, 0)
    assert {"eventId", "type", "payloadSha256"} <= kept.keys()
    assert after[5].isoformat()[:13] == "2026-05-30T10"
    unknown = hotel.post("/webhooks/replay", {"eventId": sent["id"]})
    is_problem(unknown, 404, code="MELMASTOON.BILLING.WEBHOOK_UNKNOWN")
    clock("2026-06-09T10:00:00Z")
    assert Webhook(hotel).send(sent).json["outcome"] == "quarantined"
    assert forget(operators).done == 0
    assert hotel.house.sql(LETTERS, id=sent["id"]) == [after]
    assert_books_are_right(hotel)


def test_two_runs_share_what_is_old_and_leave_the_rest(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five are old and go by twos, each once; one that is young stays, and so does what another
    consumer refused, however old: a person may still have it run again."""
    monkeypatch.setattr(forget_quarantined_webhooks, "BATCH", 2)
    first, second = cell.wiring(), cell.wiring()
    moved_to(first, datetime(2026, 3, 1, 10, tzinfo=UTC))
    for number in range(5):
        first.dead_letters.put(QUARANTINED_BY, f"evt_{number}", "why", SAID)
    first.dead_letters.put("on_payment_captured", "evt_0", "why", SAID)
    moved_to(first, datetime(2026, 3, 1, 10, tzinfo=UTC) + timedelta(days=91))
    first.dead_letters.put(QUARANTINED_BY, "evt_young", "why", SAID)

    done = at_once([lambda: forget(first), lambda: forget(second)])

    assert [each.exit_code for each in done] == [0, 0]
    assert sum(each.done for each in done) == 5
    letters = first.dead_letters.list()
    forgotten = [each for each in letters if each.forgotten_at is not None]
    assert [each.message_id for each in forgotten] == [f"evt_{number}" for number in range(5)]
    assert all(json.loads(each.message) == LEFT for each in forgotten)
    assert [each.message for each in letters if each not in forgotten] == [SAID, SAID]
    assert forget(second).done == 0


def test_one_that_is_forgotten_is_not_delivered_again_but_can_be_dropped(cell: Cell) -> None:
    wiring = cell.wiring()
    wiring.dead_letters.put(QUARANTINED_BY, "evt_1", "why", SAID)
    (letter,) = wiring.dead_letters.list()
    moved_to(wiring, datetime.now(UTC) + timedelta(days=91))
    forget(wiring)
    delivered: list[object] = []

    with pytest.raises(LetterForgotten):
        wiring.dead_letters.replay(letter.id, delivered.append)
    waiting = wiring.dead_letters.show(letter.id).state
    wiring.dead_letters.drop(letter.id, "a test of the processor")

    assert (delivered, waiting) == ([], "waiting")
    assert wiring.dead_letters.show(letter.id).state == "dropped"


def test_only_the_job_forgets_and_never_before_the_time(cell: Cell) -> None:
    """A letter of today: the database lets nobody empty it, nor change what it is about."""
    wiring = cell.wiring()
    wiring.dead_letters.put(QUARANTINED_BY, "evt_1", "why", SAID)
    for login, change, refused in (
        ("billing_function", "message = '{}'", "permission denied"),
        ("billing_job", "reason = ''", "permission denied"),
        ("billing_job", "received_at = now()", "permission denied"),
        ("billing_job", "message = '{}', forgotten_at = now()", "letter_is_kept_for_90_days"),
        (
            "billing_job",
            "forgotten_at = now() + interval '91 days'",
            "forgotten_letter_has_no_body",
        ),
    ):
        session = cell.connect(login)
        with pytest.raises(Exception, match=refused):
            session.run(f"UPDATE billing_central.dead_letters SET {change}")
        session.close()


def test_the_letters_are_those_of_who_takes_the_processors_events() -> None:
    signed = [each.name for each in http_declarations() if each.signed_by is not None]
    assert signed == [QUARANTINED_BY]
