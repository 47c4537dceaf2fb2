"""Dead letters: kept, shown, replayed once they can be taken, dropped with a reason, never lost."""

import json
from dataclasses import replace
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from common.cli.dlq import dlq
from common.domain.refusal import Unmet
from common.ports.dead_letters import DeadLetter, LetterDropped, LetterUnknown
from common.postgres.dead_letters import DeadLetters
from common.runtime.pushed import Delivery
from common.runtime.settings import ProcessSettings
from common.wiring import Wiring
from tests.hotel import Hotel, usd
from tests.jobs.cell import Cell

pytestmark = pytest.mark.req("EVT-5")
CAPTURED = "melmastoon.payment_gateway.payment.captured.v1"


class StillRefused(Unmet):
    code = "STILL_REFUSED"
    title = "Still refused"


def refuse(letter: DeadLetter) -> None:
    raise StillRefused()


@pytest.fixture
def letters(cell: Cell) -> DeadLetters:
    return cell.wiring().dead_letters


def put(letters: DeadLetters, message_id: str = "m-1", consumer: str = "on_a") -> str:
    """Keep a message and answer its letter's id."""
    letters.put(consumer, message_id, "CODE: why", '{"body": "x"}')
    found = letters.list(consumer=consumer, state="all", limit=1000)
    return next(each.id for each in found if each.message_id == message_id)


def test_keeps_a_message_once_for_each_consumer(letters: DeadLetters) -> None:
    for consumer, message in (("on_a", "m-1"), ("on_a", "m-1"), ("on_a", "m-2"), ("on_b", "m-1")):
        letters.put(consumer, message, "CODE: why", "{}")

    found = sorted((each.consumer, each.message_id) for each in letters.list())
    assert found == [("on_a", "m-1"), ("on_a", "m-2"), ("on_b", "m-1")]
    assert [each.message_id for each in letters.list(consumer="on_b")] == ["m-1"]


def test_lists_page_by_page(letters: DeadLetters) -> None:
    kept = sorted(put(letters, f"m-{number}") for number in range(5))
    first = letters.list(limit=2)

    rest = letters.list(limit=50, after=first[-1].id)

    assert [each.id for each in (*first, *rest)] == kept


def test_replaying_delivers_and_marks(letters: DeadLetters) -> None:
    letter_id = put(letters)
    delivered: list[DeadLetter] = []

    letters.replay(letter_id, delivered.append)

    assert [each.message for each in delivered] == ['{"body": "x"}']
    assert letters.show(letter_id).state == "replayed"
    assert letters.list() == []
    assert [each.id for each in letters.list(state="replayed")] == [letter_id]


def test_a_letter_that_is_refused_again_waits_on(letters: DeadLetters) -> None:
    letter_id = put(letters)

    with pytest.raises(StillRefused):
        letters.replay(letter_id, refuse)

    assert letters.show(letter_id).state == "waiting"


def test_dropping_keeps_the_evidence(letters: DeadLetters) -> None:
    letter_id = put(letters)

    letters.drop(letter_id, "the processor's test")

    dropped = letters.show(letter_id)
    assert (dropped.state, dropped.dropped_because) == ("dropped", "the processor's test")
    assert (dropped.message, dropped.reason) == ('{"body": "x"}', "CODE: why")
    with pytest.raises(LetterDropped):
        letters.replay(letter_id, refuse)
    with pytest.raises(LetterDropped):
        letters.drop(letter_id, "again")


def test_does_not_know_a_letter_that_is_not_there(letters: DeadLetters) -> None:
    for attempt in (
        lambda: letters.show("dlq_x"),
        lambda: letters.replay("dlq_x", refuse),
        lambda: letters.drop("dlq_x", "why"),
    ):
        with pytest.raises(LetterUnknown):
            attempt()


def test_nobody_can_delete_a_letter(cell: Cell, letters: DeadLetters) -> None:
    """And the functions, which put letters in, can read none."""
    put(letters)
    for login, sql in (
        ("billing_job", "DELETE FROM billing_central.dead_letters"),
        ("billing_job", "TRUNCATE billing_central.dead_letters"),
        ("billing_function", "SELECT * FROM billing_central.dead_letters"),
        ("billing_function", "UPDATE billing_central.dead_letters SET reason = ''"),
    ):
        session = cell.connect(login)
        with pytest.raises(Exception, match="permission denied"):
            session.run(sql)
        session.close()


# the command, on a hotel whose letters come from its consumers


@pytest.fixture
def wiring(operators: Wiring, monkeypatch: pytest.MonkeyPatch) -> Wiring:
    """What the command finds."""
    monkeypatch.setattr("common.wiring.edge", lambda: operators)
    return operators


def billing_dlq(*arguments: str) -> Result:
    return CliRunner().invoke(dlq, arguments)


def captured(hotel: Hotel, folio: str, payment: str) -> Delivery:
    """A capture of 40.00 as it was delivered."""
    context = {
        "ce-specversion": "1.0",
        "ce-id": f"evt_{payment}",
        "ce-source": "/payments",
        "ce-type": CAPTURED,
        "ce-tenantid": str(hotel.tenant_id),
    }
    data = {"paymentId": payment, "folioId": folio, "amount": usd(4_000)}
    return Delivery(context, json.dumps(data).encode())


def refused_capture(hotel: Hotel, wiring: Wiring, folio: str) -> str:
    """A capture that came before its folio: the letter that it became."""
    payment = f"pi_{uuid4().hex}"
    delivery = captured(hotel, folio, payment)
    wiring.dead_letters.put(
        "on_payment_captured", payment, "MELMASTOON.BILLING.FOLIO_UNKNOWN: x", delivery.letter()
    )
    waiting = wiring.dead_letters.list(consumer="on_payment_captured", limit=1000)
    return next(each.id for each in waiting if each.message_id == payment)


def test_the_command_replays_a_letter_into_its_effect(hotel: Hotel, wiring: Wiring) -> None:
    folio = hotel.open_folio()
    letter = refused_capture(hotel, wiring, folio)

    done = [billing_dlq("replay", letter) for _ in range(2)]

    assert [each.exit_code for each in done] == [0, 0], done[0].output
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-4_000)
    assert wiring.dead_letters.show(letter).state == "replayed"


def test_the_command_says_which_letter_is_refused_again(hotel: Hotel, wiring: Wiring) -> None:
    good = refused_capture(hotel, wiring, hotel.open_folio())
    bad = refused_capture(hotel, wiring, "fol_" + "0" * 26)

    done = billing_dlq("replay", bad, good, "--json")

    answer = json.loads(done.stdout)
    assert done.exit_code == 1
    assert answer["replayed"] == [good]
    assert "FOLIO_UNKNOWN" in answer["failed"][bad]
    assert wiring.dead_letters.show(bad).state == "waiting"


def test_the_command_shows_the_event_in_a_letter(hotel: Hotel, wiring: Wiring) -> None:
    letter = refused_capture(hotel, wiring, "fol_" + "0" * 26)

    shown = json.loads(billing_dlq("show", letter, "--json").stdout)

    assert shown["consumer"] == "on_payment_captured"
    assert shown["event"]["type"] == CAPTURED
    assert shown["event"]["data"]["amount"] == usd(4_000)
    assert shown["reason"].startswith("MELMASTOON.BILLING.FOLIO_UNKNOWN")
    listed = json.loads(billing_dlq("list", "--json", "--limit", "1000").stdout)["letters"]
    assert letter in [each["id"] for each in listed]
    assert letter in billing_dlq("list", "--limit", "1000").stdout


def test_the_command_drops_with_a_reason_only(hotel: Hotel, wiring: Wiring) -> None:
    letter = refused_capture(hotel, wiring, "fol_" + "0" * 26)

    assert billing_dlq("drop", letter).exit_code == 2
    assert billing_dlq("drop", letter, "--reason", " ").exit_code == 2
    assert billing_dlq("drop", letter, "--reason", "a test").exit_code == 0
    assert billing_dlq("replay", letter).exit_code == 1
    assert wiring.dead_letters.show(letter).dropped_because == "a test"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["replay"], 2),
        (["replay", "dlq_x", "--consumer", "on_a"], 2),
        (["replay", "dlq_x"], 1),
        (["show", "dlq_x"], 2),
        (["drop", "dlq_x", "--reason", "why"], 1),
    ],
)
def test_the_command_ends_with_a_code_that_tells(
    wiring: Wiring, arguments: list[str], code: int
) -> None:
    assert billing_dlq(*arguments).exit_code == code


def test_a_letter_without_a_consumer_or_a_body_cannot_be_replayed(wiring: Wiring) -> None:
    name = f"on_{uuid4().hex}"
    wiring.dead_letters.put(name, "m-1", "CODE: why", json.dumps({"headers": {}, "body": "{}"}))
    wiring.dead_letters.put("on_payment_captured", name, "CODE", '{"withheld": "card data"}')
    found = wiring.dead_letters.list(consumer="on_payment_captured", limit=1000)
    withheld = next(each.id for each in found if each.message_id == name)

    assert "CONSUMER_UNKNOWN" in billing_dlq("replay", "--consumer", name).stdout
    assert "card data" in billing_dlq("replay", withheld).stdout


def test_who_may_not_make_tenants_replays_none(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the cloud, where the job that a person's orders run in was not given the role for it."""
    put(wiring.dead_letters, message := f"m-{uuid4().hex}", consumer="on_tenant_created")
    in_the_cloud = replace(wiring.settings, stack="google")
    assert replace(in_the_cloud, provisioner="postgresql://x").makes_tenants
    may = in_the_cloud.makes_tenants
    monkeypatch.setattr(ProcessSettings, "makes_tenants", may)

    waiting = wiring.dead_letters.list(consumer="on_tenant_created", limit=1000)
    letter = next(each.id for each in waiting if each.message_id == message)
    done = billing_dlq("replay", letter, "--json")

    assert "billing tenant create" in json.loads(done.stdout)["failed"][letter]
    assert wiring.dead_letters.show(letter).state == "waiting"
