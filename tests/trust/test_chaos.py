"""Real processes are killed while they work, and nothing is lost, doubled or half there (REL-4).

First the judge: whatever is done to an honest history or to its books behind its back is found.
Then a storm, small and seeded, in which the judge finds nothing. The long one is `make trust`.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.hotel import Hotel
from tests.trust.chaos.clients import (
    Bar,
    Clerk,
    Courier,
    Desk,
    Guests,
    Treasurer,
    confirmed,
)
from tests.trust.chaos.deployment import FUNCTIONS
from tests.trust.chaos.episode import Plan, play
from tests.trust.chaos.evidence import Books
from tests.trust.chaos.figures import tally_of
from tests.trust.chaos.history import (
    Answered,
    Arrived,
    Command,
    History,
    LostCommit,
    Record,
    Story,
    read,
)
from tests.trust.chaos.judge import judge, judge_at_rest, judge_settlement, open_commands
from tests.trust.chaos.storm import SMALL_DECK, Fault

pytestmark = pytest.mark.req("REL-4")

SEED = 20_261_124


@dataclass
class Case:
    """An honest history of a hotel, before somebody does something to it."""

    hotel: Hotel
    records: list[Record]
    guest: str
    """The folio of a guest who is still there: a charge, which is voided, and another one."""
    charge: str
    """The id of the other one, whose command is `bar-4`."""

    def books(self) -> Books:
        return Books.read(self.hotel.house.sql, [self.hotel.tenant_id])

    def verdict(self) -> list[str]:
        return judge_at_rest(Story.of(self.records), self.books())

    def sql(self, sql: str) -> None:
        """Do something to the books."""
        self.hotel.rows(sql.replace("{charge}", self.charge).replace("{guest}", self.guest))

    def command(self, key: str) -> Command:
        return Story.of(self.records).commands[key]

    def change(self, change: Callable[[Record], Record | None]) -> None:
        """Do something to the history: each record is another one, or none."""
        changed = [change(record) for record in self.records]
        self.records = [record for record in changed if record is not None]


@pytest.fixture
def case(hotel: Hotel, tmp_path: Path) -> Case:
    """A guest who came, paid and left, another who is still there; every event has arrived.

    desk-1 opens, desk-2 to 4 charge and perhaps void, and so on to its close; bar-1 opens, bar-2
    charges, bar-3 voids that, bar-4 charges again and is sent a second time, bar-5 is a close that
    is refused for its balance.
    """
    history = History(tmp_path / "history.jsonl")
    courier = Courier(posting_to(hotel), history, random.Random(1), threading.Event())
    Desk("desk", courier, random.Random(1), Guests()).stay(hotel)
    bar = Bar("bar", courier, random.Random(2), Guests())
    guest = opened(bar, hotel)
    first = bar.charge(hotel, guest)
    assert first is not None
    bar.void(hotel, guest, first[0], first[1])
    second = bar.charge(hotel, guest)
    assert second is not None
    courier.deliver(Story.of(read(history.path)).commands["bar-4"], first=False)
    bar.ask("close_folio", hotel, guest, f"/folios/{guest}/close")
    for event in hotel.events():
        key = f"{hotel.tenant_id}/{event['subject']}"
        history.tell(Arrived(key, int(event["sequence"]), event["id"]))
    hotel.house.sql(
        "UPDATE billing_central.outbox SET published_at = now() WHERE tenant_id = :tenant",
        tenant=hotel.tenant_id,
    )
    history.close()
    return Case(hotel, read(history.path), guest, second[0])


def posting_to(hotel: Hotel) -> Callable[[Command, str], tuple[int, bool, str]]:
    """Post to the hotel's functions in this process."""

    def post(command: Command, trace: str) -> tuple[int, bool, str]:
        answer = hotel.post(
            command.path,
            confirmed(command, hotel),
            key=command.key,
            token=hotel.token(sub=command.actor),
            headers={"traceparent": f"00-{trace}-{trace[:16]}-01"},
        )
        replayed = answer.headers.get("Idempotency-Replayed") == "true"
        return answer.status_code, replayed, answer.text

    return post


def opened(clerk: Clerk, hotel: Hotel) -> str:
    """A folio, and nothing on it."""
    answer = clerk.ask(
        "open_folio",
        hotel,
        "",
        "/folios",
        propertyId=str(hotel.property_id),
        guest={"name": f"{clerk.name}-1"},
    )
    assert answer is not None
    (folio,) = hotel.rows(f"SELECT id FROM {{s}}.folios WHERE guest_name = '{clerk.name}-1'")
    return str(folio[0])


def test_the_judge_has_nothing_against_an_honest_history(case: Case) -> None:
    story = Story.of(case.records)

    assert case.verdict() == []
    assert {command.function for command in story.commands.values()} == {
        "open_folio",
        "post_charge",
        "void_charge",
        "record_payment",
        "close_folio",
    }
    assert [answer.replayed for answer in story.acknowledged("bar-4")] == [False, True]


TO_THE_BOOKS = {
    "the charge is lost": (
        "DELETE FROM {s}.folio_lines WHERE charge_id = '{charge}';"
        " DELETE FROM {s}.ledger_entries WHERE folio_id = '{guest}';"
        " DELETE FROM {s}.audit_entries WHERE aggregate_id = '{guest}' AND sequence = 4;"
        " DELETE FROM billing_central.outbox WHERE ordering_key = '{guest}' AND sequence = 4;"
        " DELETE FROM {s}.idempotency_keys WHERE strpos(body, '{charge}') > 0",
        "bar-4 (post_charge) was acknowledged and is lost",
    ),
    "its lines are lost": (
        "DELETE FROM {s}.folio_lines WHERE charge_id = '{charge}'",
        "bar-4 (post_charge) was acknowledged, and booked is 0, not",
    ),
    "its tax is lost": (
        "DELETE FROM {s}.folio_lines WHERE charge_id = '{charge}' AND type = 'tax'",
        "tax_lines is 0, not 1",
    ),
    "its ledger entry is lost": (
        "DELETE FROM {s}.ledger_entries WHERE source = '{charge}'",
        "entries is 1, not 2",
    ),
    "its audit entry is lost": (
        "DELETE FROM {s}.audit_entries WHERE aggregate_id = '{guest}' AND sequence = 4",
        "audit_charge.posted is 0, not 1",
    ),
    "its event is lost": (
        "DELETE FROM billing_central.outbox WHERE ordering_key = '{guest}' AND sequence = 4",
        "event_charge.posted is 0, not 1",
    ),
    "its stored answer is lost": (
        "DELETE FROM {s}.idempotency_keys WHERE strpos(body, '{charge}') > 0",
        "bar-4 (post_charge) was acknowledged, and stored_answers is 0",
    ),
    "its stored answer is another one": (
        "UPDATE {s}.idempotency_keys SET body = body || ' ' WHERE strpos(body, '{charge}') > 0",
        "answered with other bytes than are stored",
    ),
    "its stored answer is another function's": (
        "UPDATE {s}.idempotency_keys SET function = 'void_charge'"
        " WHERE strpos(body, '{charge}') > 0",
        "bar-4 (post_charge) is stored as void_charge 201",
    ),
    "a close that was refused told nobody": (
        "DELETE FROM {s}.audit_entries WHERE aggregate_id = '{guest}' AND sequence = 5;"
        " DELETE FROM billing_central.outbox WHERE ordering_key = '{guest}' AND sequence = 5",
        "bar-5 was refused for its balance, and nobody was told",
    ),
    "it told the trail and not the house": (
        "DELETE FROM billing_central.outbox WHERE ordering_key = '{guest}' AND sequence = 5",
        "bar-5 told of its balance 1 and 0 times",
    ),
    "its amount is another one": (
        "UPDATE {s}.folio_lines SET amount_micro = amount_micro + 100000 WHERE id = '{charge}'",
        "bar-4 (post_charge) was acknowledged, and moved is",
    ),
    "it is booked with another amount": (
        "UPDATE {s}.ledger_entries SET amount_micro = amount_micro + 1 WHERE source = '{charge}'",
        "bar-4 (post_charge) was acknowledged, and booked is",
    ),
    "it is there twice": (
        "INSERT INTO {s}.folio_lines SELECT (jsonb_populate_record(l, jsonb_build_object("
        "'sequence', 99, 'id', 'chg_again', 'charge_id', 'chg_again'))).*"
        " FROM {s}.folio_lines AS l WHERE id = '{charge}'",
        "lines is 2, not 1",
    ),
    "it is told twice": (
        "INSERT INTO billing_central.outbox (tenant_id, shard, ordering_key, sequence, event_id,"
        " event_type, event, recorded_at) SELECT tenant_id, shard, ordering_key, 99, 'evt_again',"
        " event_type, event, recorded_at FROM billing_central.outbox"
        " WHERE ordering_key = '{guest}' AND sequence = 4",
        "event_charge.posted is 2, not 1",
    ),
    "something is booked that nobody asked for": (
        "INSERT INTO {s}.ledger_entries SELECT (jsonb_populate_record(e,"
        " jsonb_build_object('source', 'chg_nobody'))).*"
        " FROM {s}.ledger_entries AS e WHERE source = '{charge}'",
        "entry chg_nobody/0 belongs to no command",
    ),
    "an invoice's number is lost": (
        "UPDATE {s}.number_series SET last_number = last_number + 1",
        "gave 2 numbers, and its documents bear [1]",
    ),
    "a closed folio has no settlement": ("DELETE FROM {s}.settlements", "settlements is 0, not 1"),
    "a folio is closed by nobody": (
        "UPDATE {s}.folios SET status = 'closed', balance_micro = 0 WHERE id = '{guest}'",
        "is closed by 0 commands",
    ),
    "an event still waits": (
        "UPDATE billing_central.outbox SET published_at = NULL WHERE ordering_key = '{guest}'",
        "still waits",
    ),
}


@pytest.mark.parametrize("deed", TO_THE_BOOKS)
def test_the_judge_finds_what_was_done_to_the_books(case: Case, deed: str) -> None:
    sql, sentence = TO_THE_BOOKS[deed]

    case.sql(sql)

    assert sentence in "\n".join(case.verdict())


def is_answer(record: Record, key: str, attempt: int = 1) -> bool:
    return isinstance(record, Answered) and (record.key, record.attempt) == (key, attempt)


def without(key: str) -> Callable[[Record], Record | None]:
    """Nobody heard what became of a command."""

    def change(record: Record) -> Record | None:
        return None if isinstance(record, Answered) and record.key == key else record

    return change


def answered(key: str, attempt: int = 1, **fields: object) -> Callable[[Record], Record | None]:
    """An answer was another one."""

    def change(record: Record) -> Record | None:
        return replace(record, **fields) if is_answer(record, key, attempt) else record

    return change


def arrived(**fields: object) -> Callable[[Record], Record | None]:
    """The first event that came was another one."""
    done: list[Record] = []

    def change(record: Record) -> Record | None:
        if not isinstance(record, Arrived) or done:
            return record
        done.append(record)
        return replace(record, **fields)

    return change


REFUSED = '{"code": "MELMASTOON.BILLING.FOLIO_CLOSED"}'
BROKEN = '{"code": "MELMASTOON.GENERAL.INTERNAL_ERROR"}'
TO_THE_HISTORY = {
    "it was refused": (answered("bar-2", status=409, body=REFUSED), "was refused, and yet there"),
    "it was answered otherwise the second time": (
        answered("bar-4", attempt=2, body="{}"),
        "was answered with different bytes",
    ),
    "it was executed a second time": (
        answered("bar-4", attempt=2, replayed=False),
        "was executed twice",
    ),
    "it was acknowledged and then refused": (
        answered("bar-4", attempt=2, status=409, body=REFUSED),
        "was acknowledged and refused",
    ),
    "the service broke": (
        answered("bar-4", attempt=2, status=500, body=BROKEN),
        "was answered 500 MELMASTOON.GENERAL.INTERNAL_ERROR",
    ),
    "it was never answered": (without("bar-3"), "bar-3 was never answered"),
    "an event did not arrive": (arrived(event_id="evt_x"), "never arrived"),
    "an event arrived that was not told": (
        arrived(event_id="evt_x"),
        "evt_x arrived and is not in the books",
    ),
    "the first event came second": (arrived(sequence=2), "arrived first in the order [2"),
}


@pytest.mark.parametrize("deed", TO_THE_HISTORY)
def test_the_judge_finds_what_a_history_says_otherwise(case: Case, deed: str) -> None:
    change, sentence = TO_THE_HISTORY[deed]

    case.change(change)

    assert sentence in "\n".join(case.verdict())


def test_the_judge_finds_a_command_that_nobody_sent(case: Case) -> None:
    case.change(lambda record: None if getattr(record, "key", "") == "bar-4" else record)

    wrong = case.verdict()

    assert f"line {case.charge} belongs to no command" in wrong


def test_the_judge_lets_an_unacknowledged_command_be_there_wholly_or_not_at_all(
    case: Case,
) -> None:
    case.change(without("bar-4"))
    assert judge(Story.of(case.records), case.books()) == []
    assert open_commands(Story.of(case.records), case.books()) == {"bar-4": True}

    case.sql("DELETE FROM {s}.ledger_entries WHERE source = '{charge}'")

    (sentence,) = judge(Story.of(case.records), case.books())
    assert sentence.startswith("bar-4 (post_charge) was not acknowledged and is there in part")


def test_the_judge_finds_a_retry_that_does_not_settle(case: Case) -> None:
    """What was there is answered as it was; what was not there is not."""
    story = Story.of(case.records)

    assert judge_settlement(story, {"bar-4": False}) == []
    assert judge_settlement(story, {"bar-4": True}) == [
        "bar-4 had taken effect, and its retry did not answer it again"
    ]
    case.change(lambda each: None if is_answer(each, "bar-4") else each)
    story = Story.of(case.records)
    assert judge_settlement(story, {"bar-4": True}) == []
    assert judge_settlement(story, {"bar-4": False}) == [
        "bar-4 had taken no effect, and its retry answered an older answer"
    ]


def test_the_judge_finds_half_of_a_shared_commit(case: Case) -> None:
    audits = [row[0] for row in case.hotel.rows("SELECT id FROM {s}.audit_entries LIMIT 2")]
    case.records.append(LostCommit("before the client", audits, 0.0))
    assert case.verdict() == []

    case.records.append(LostCommit("before the client", [audits[0], "aud_unheard"], 0.0))

    assert case.verdict() == ["of a commit with 2 audit entries, 1 are there"]


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


@pytest.mark.req("BEY-4", "CRD-1")
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


GATE = Plan(seed=SEED, deck=SMALL_DECK, commands_min=150, cuts_min=30)


def test_a_storm_loses_nothing_doubles_nothing_and_leaves_no_half(tmp_path: Path) -> None:
    """Four processes killed, two databases crashed, a session ended, thirty connections cut."""
    verdict = play(GATE, tmp_path)

    tally = tally_of(verdict)
    assert not tally.violations, "\n".join(tally.violations)
    assert tally.commands >= 150
    done = [c for c in verdict.story.commands.values() if verdict.story.acknowledged(c.key)]
    assert {command.function for command in done} == set(FUNCTIONS)
    assert {kind: tally.faults[kind.value] for kind in Fault if kind in SMALL_DECK} == {
        kind: SMALL_DECK.count(kind) for kind in set(SMALL_DECK)
    }
    assert len(verdict.story.cuts) >= 30
    assert any(committed for _, committed in verdict.lost)
    assert not all(committed for _, committed in verdict.lost)


@pytest.mark.pgbouncer
def test_a_storm_behind_the_pooler_loses_nothing_either(tmp_path: Path) -> None:
    tally = tally_of(play(replace(GATE, pooled=True), tmp_path))

    assert not tally.violations, "\n".join(tally.violations)
    assert tally.commands >= 150
