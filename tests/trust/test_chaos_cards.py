"""The judge of the storm knows what became of card payments: at the processor, and on folios."""

import random
import threading
from pathlib import Path

import pytest

from common.domain.money import Currency, Money
from tests.hotel import Hotel
from tests.trust.chaos.calling import posting_to
from tests.trust.chaos.cards import CardDesk, Processor, a_wallet
from tests.trust.chaos.clients import Courier, Guests
from tests.trust.chaos.evidence import Books
from tests.trust.chaos.history import History, Story, read
from tests.trust.chaos.judge import collected, judge

TO_PAYMENTS = {
    "the processor has told of it in vain": (
        "DELETE FROM {s}.webhook_attempts WHERE event_id IN"
        " (SELECT min(event_id) FROM {s}.webhook_events)",
        "(take_stripe_event) was acknowledged and is lost",
    ),
    "what it told was kept and not applied": (
        "UPDATE {s}.webhook_attempts SET outcome = 'repeated'",
        "(take_stripe_event) was acknowledged, and applied is 0, not 1",
    ),
    "its line is not booked": (
        "DELETE FROM {s}.ledger_entries WHERE source IN"
        " (SELECT id FROM {s}.payments WHERE processor_payment_id IS NOT NULL)",
        "(confirm_payment) is there in part: booked is 0, not -",
    ),
    "less stands on the folio than was taken": (
        "UPDATE {s}.payments SET amount_micro = amount_micro - 10000",
        "stands on its folio",
    ),
    "it stands there as another one": (
        "UPDATE {s}.payments SET processor_payment_id = id",
        "and None stands on its folio",
    ),
    "a folio was closed for less than it came to": (
        "UPDATE {s}.folio_lines SET amount_micro = amount_micro + 10000 WHERE type = 'payment'",
        "was collected for it",
    ),
}


@pytest.mark.req("REL-4", "GW-3", "GW-5", "WH-2")
def test_the_judge_finds_what_was_done_to_card_payments(hotel: Hotel, tmp_path: Path) -> None:
    """Two guests pay, the answer of one card is lost, all is told twice in any order: nothing is
    wrong. After each deed there is a sentence more."""
    hotel.write_settings(riskRules={"rules": []})
    tenant, folder = str(hotel.tenant_id), hotel.house.wiring._folder("processor")
    wallets = {tenant: a_wallet(hotel)}
    known = {file.stem for file in folder.glob("intents/*.json")}
    before = Books.read(hotel.house.sql, [hotel.tenant_id]).rows()
    history = History(tmp_path / "history.jsonl")
    courier = Courier(posting_to(hotel), history, random.Random(1), threading.Event())
    desk = CardDesk("cards", courier, random.Random(3), Guests(), wallets=wallets)
    for _ in range(2):
        desk.stay(hotel)
    there = {"folder": folder, "hotels": {tenant: hotel}, "told": known}
    Processor("processor", courier, random.Random(1), Guests(), **there).tell()
    history.close()
    story = Story.of(read(history.path))

    def verdict() -> str:
        books = Books.read(hotel.house.sql, [hotel.tenant_id], folder)
        books.before = before
        books.taken = {place: much for place, much in books.taken.items() if place[0] == tenant}
        return "\n".join([*judge(story, books), *collected(story, books)])

    assert verdict() == ""
    for deed, (sql, sentence) in TO_PAYMENTS.items():
        hotel.rows(sql)
        assert sentence in verdict(), deed
    hotel.house.wiring.sandbox.capture(
        hotel.tenant_id, None, "sandbox_pi_nobody", Money(10_000, Currency("USD"))
    )
    assert "sandbox_pi_nobody was taken, and nobody has asked for it" in verdict()
