"""The judge of the storm knows what became of credits: granted, moved, spent, and on bills."""

import random
import threading
from pathlib import Path

import pytest

from tests.hotel import Hotel
from tests.trust.chaos.calling import opened, posting_to
from tests.trust.chaos.clients import Courier, Desk, Guests, Treasurer
from tests.trust.chaos.evidence import Books
from tests.trust.chaos.history import History, Story, read
from tests.trust.chaos.judge import judge

TO_CREDITS = {
    "what settled a bill is not booked": (
        "DELETE FROM {s}.credit_book_entries WHERE debit_account LIKE 'outstanding:%'"
        " AND credit_account = 'owed_to_house'",
        "(record_payment) was acknowledged, and bookings is 0, not 1",
    ),
    "less came back than was asked for": (
        "UPDATE {s}.credit_ledger_entries SET amount_micro = amount_micro - 1"
        " WHERE kind = 'restore'",
        "(refund_payment) was acknowledged, and credits is",
    ),
    "somebody spent what nobody asked for": (
        "UPDATE {s}.credit_ledger_entries SET reference = 'else' WHERE kind = 'spend'",
        "belongs to no command",
    ),
    "half of a transfer is lost": (
        "UPDATE {s}.credit_ledger_entries SET reason = 'else' WHERE kind = 'transfer_in'",
        "(transfer_credits) was acknowledged, and credits is -",
    ),
}


class Generous(random.Random):
    """Dice of a guest who pays by credits, and is given something back."""

    def random(self) -> float:
        return 0.0


@pytest.mark.req("REL-4", "BEY-4", "CRD-1")
def test_the_judge_finds_what_was_done_to_credits(hotel: Hotel, tmp_path: Path) -> None:
    """An honest history has nothing against it; after each deed there is a sentence more."""
    history = History(tmp_path / "history.jsonl")
    courier = Courier(posting_to(hotel), history, random.Random(1), threading.Event())
    Treasurer("treasurer", courier, random.Random(1), Guests()).serve(hotel)
    desk = Desk("desk", courier, Generous(1), Guests(), by_credits=1.0)
    guest = opened(desk, hotel)
    posted = desk.charge(hotel, guest)
    assert posted is not None
    desk.pay(hotel, guest, posted[2])
    history.close()
    story = Story.of(read(history.path))

    def verdict() -> str:
        return "\n".join(judge(story, Books.read(hotel.house.sql, [hotel.tenant_id])))

    assert verdict() == ""
    for deed, (sql, sentence) in TO_CREDITS.items():
        hotel.rows(sql)
        assert sentence in verdict(), deed
