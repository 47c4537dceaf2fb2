"""What was nobody's is run again by an operator, once somebody knows whose it is (WH-6, WH-3)."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from common.cli.dlq import dlq
from common.wiring import Wiring
from tests.hotel import Hotel, usd
from tests.jobs.test_forget_quarantined_webhooks import forget
from tests.proofs import assert_books_are_right
from tests.together import at_once
from tests.webhooks import Webhook, kept, paid_cents, refunded_there

pytestmark = pytest.mark.req("WH-6", "WH-3")
Clock = Callable[[str], None]


@pytest.fixture
def wiring(operators: Wiring, monkeypatch: pytest.MonkeyPatch) -> Wiring:
    """What the command finds."""
    monkeypatch.setattr("common.wiring.edge", lambda: operators)
    return operators


def billing_dlq(*arguments: str) -> Result:
    return CliRunner().invoke(dlq, arguments)


def put_aside(hotel: Hotel, sent: dict[str, Any]) -> str:
    """An event that was nobody's when it came: its letter."""
    assert Webhook(hotel).send(sent).json["outcome"] == "quarantined"
    ((letter,),) = hotel.house.sql(
        "SELECT id FROM billing_central.dead_letters WHERE message_id = :id", id=sent["id"]
    )
    return str(letter)


def written_down(hotel: Hotel, folio: str, payment: str) -> None:
    """The desk records the payment, and so it is the hotel's."""
    hotel.paid(folio, usd(5_000), method="card", paymentId=payment, allowCredit=True)


def test_it_has_its_effect_once_when_its_payment_is_known(hotel: Hotel, wiring: Wiring) -> None:
    """A refund of 20.00 was told before its payment of 50.00 was anybody's."""
    payment, folio = f"pi_{uuid4().hex}", hotel.open_folio()
    sent = refunded_there(payment, "re_early", 2_000)
    letter = put_aside(hotel, sent)
    early = billing_dlq("replay", letter)
    assert (early.exit_code, "WEBHOOK_IS_NOBODYS" in early.output) == (1, True), early.output
    written_down(hotel, folio, payment)

    done = at_once([lambda: wiring_replays(wiring, letter)] * 2)
    later = billing_dlq("replay", letter)

    assert [each is None for each in done] == [True, True], done
    assert (later.exit_code, wiring.dead_letters.show(letter).state) == (0, "replayed")
    assert (paid_cents(hotel, folio), kept(hotel)) == (3_000, [["refund.updated", ["applied"]]])
    assert Webhook(hotel).send(sent).json["outcome"] == "duplicate"
    assert_books_are_right(hotel)


def wiring_replays(wiring: Wiring, letter: str) -> str | None:
    """What keeps an operator from having it run again."""
    from common.cli.dlq import _replayed

    return _replayed(wiring, letter) or None


def test_what_the_house_refuses_is_kept_there_and_the_letter_waits(
    hotel: Hotel, wiring: Wiring
) -> None:
    """60.00 of 50.00: as if it had come now, it is refused, and a person looks."""
    payment, folio = f"pi_{uuid4().hex}", hotel.open_folio()
    letter = put_aside(hotel, refunded_there(payment, "re_much", 6_000))
    written_down(hotel, folio, payment)

    done = billing_dlq("replay", letter, "--json")

    assert "REFUND_EXCEEDS_PAYMENT" in json.loads(done.stdout)["failed"][letter]
    assert (kept(hotel), paid_cents(hotel, folio)) == ([["refund.updated", ["refused"]]], 5_000)
    assert wiring.dead_letters.show(letter).state == "waiting"
    assert json.loads(billing_dlq("show", letter, "--json").stdout)["event"] is None


def test_what_was_forgotten_is_refused(hotel: Hotel, wiring: Wiring, clock: Clock) -> None:
    """After 90 days nobody knows what it said, though it is known by now whose it is."""
    clock("2026-03-01T10:00:00Z")
    payment, folio = f"pi_{uuid4().hex}", hotel.open_folio()
    letter = put_aside(hotel, refunded_there(payment, "re_old", 2_000))
    written_down(hotel, folio, payment)
    clock("2026-05-30T10:01:00Z")
    forget(wiring)

    done = billing_dlq("replay", letter)

    assert (done.exit_code, "DEAD_LETTER_FORGOTTEN" in done.output) == (1, True), done.output
    assert (paid_cents(hotel, folio), kept(hotel)) == (5_000, [])
