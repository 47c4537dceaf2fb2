"""Drills about events: those that stay in the house, and those that nobody could take in."""

import json
import re
from uuid import uuid4

import pytest

from tests.drills.drill import Drill, DrillOf, summary
from tests.hotel import new_id, usd
from tests.webhooks import Webhook, captured, event

pytestmark = pytest.mark.req("OPS-3")
TEN_MINUTES = 600


def test_events_that_stay_in_the_database(drill_of: DrillOf) -> None:
    """A guest pays 110.00 and leaves; the scheduler fires nothing, and the invoice has no PDF."""
    drill = drill_of("outbox_lag")
    hotel = drill.hotel
    _, invoice = hotel.closed_folio()
    drill.waits(TEN_MINUTES)

    assert hotel.get("/health/ready").json["outboxAgeSeconds"] >= TEN_MINUTES
    assert hotel.get(f"/invoices/{invoice}/pdf").status_code == 409
    typed = drill.first_five_minutes()

    assert re.search(r"outbox +[1-9]\d* events wait", typed["billing doctor"].stdout)
    assert summary(typed["billing job run drain_outbox --once"])["done"] >= len(hotel.events())
    assert hotel.get("/health/ready").json["outboxAgeSeconds"] == 0
    assert hotel.get(f"/invoices/{invoice}/pdf").status_code == 302, "the consumers caught up"
    drill.is_over()


def told_in_vain(drill: Drill, folio: str) -> tuple[str, str]:
    """An event that is refused, as its folio is not there, and the letter of one that is nobody's;
    each is noticed, and one that has its effect is not."""
    webhook = Webhook(drill.hotel)
    drill.logged.clear()
    assert webhook.send(captured(drill.hotel, drill.hotel.open_folio(), 500)).status_code == 200
    assert not drill.goes_off("webhook_without_effect")
    letters = []
    for sent, outcome in (
        (captured(drill.hotel, folio, 1_000), "refused"),
        (event("payout.paid", {"id": "po_1", "object": "payout"}), "quarantined"),
    ):
        drill.logged.clear()
        assert webhook.send(sent).json["outcome"] == outcome
        assert drill.goes_off("webhook_without_effect"), outcome
        letters.append(sent["id"])
    found = drill.house.sql(
        "SELECT id FROM billing_central.dead_letters WHERE message_id = :id", id=letters[1]
    )
    return letters[0], found[0][0]


def home_by_hand(drill: Drill) -> None:
    """A hotel is announced in words that nobody reads: its home is made by a person."""
    tenant = uuid4()
    told = drill.hotel.deliver("on_tenant_created", {"tenantId": 1}, tenantid=str(tenant))
    assert told.status_code == 204, "it does not come again"
    ((letter,),) = drill.house.sql(
        "SELECT id FROM billing_central.dead_letters WHERE consumer = 'on_tenant_created'"
    )
    drill.page.says("whoever replays may not make one")
    assert drill.run("billing tenant create", tenant).stdout == f"{tenant}\n"
    drill.run("billing dlq drop", letter, "--reason", "made by hand")


def test_events_that_nobody_could_take_in(drill_of: DrillOf) -> None:
    """A payment comes before its folio; a second one has no amount, and never will have one. The
    processor tells of a payment of that folio, too, and of a payout that is nobody's."""
    drill = drill_of("dead_letters")
    hotel, folio = drill.hotel, new_id("fol")
    payment = {"paymentId": f"psp_{uuid4()}", "folioId": folio, "amount": usd(4_000)}
    early = hotel.deliver("on_payment_captured", payment)
    poisoned = hotel.deliver("on_payment_captured", {**payment, "amount": None})
    assert (early.status_code, poisoned.status_code) == (204, 204), "they do not come again"
    assert drill.goes_off("event_refused")
    told, nobodys = told_in_vain(drill, folio)

    typed = drill.first_five_minutes()
    listed = typed["billing dlq list --consumer on_payment_captured --json"]
    found = json.loads(listed.stdout)["letters"]
    reasons = {each["reason"].split(":")[0].rpartition(".")[2]: each["id"] for each in found}
    assert set(reasons) == {"FOLIO_UNKNOWN", "VALIDATION_FAILED"}
    assert nobodys in typed["billing dlq list"].stdout
    shown = drill.run("billing dlq show", reasons["FOLIO_UNKNOWN"], "--json")
    assert json.loads(shown.stdout)["event"]["data"] == payment

    drill.run("billing dlq drop", reasons["VALIDATION_FAILED"], "--reason", "a right one comes")
    drill.run("billing dlq drop", nobodys, "--reason", "of another house")
    home_by_hand(drill)
    hotel.open_folio(id=folio)
    drill.run("billing dlq replay", reasons["FOLIO_UNKNOWN"])
    again = drill.run("billing dlq replay --consumer on_payment_captured")

    assert again.stdout == ""
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-4_000), "paid, and once"
    drill.page.says("applied by `POST /api/v1/webhooks/replay`")
    admin = hotel.token("platform.webhook.admin")
    applied = hotel.post("/webhooks/replay", {"eventId": told}, token=admin)
    assert applied.json["outcome"] == "applied", applied.text
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-5_000)
    assert "0 letters" in drill.run("billing dlq list").stdout
    drill.is_over()
