"""Drills about events: those that stay in the house, and those that nobody could take in."""

import json
import re
from uuid import uuid4

import pytest

from tests.drills.drill import DrillOf, summary
from tests.hotel import new_id, usd

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


def test_events_that_nobody_could_take_in(drill_of: DrillOf) -> None:
    """A payment comes before its folio; a second one has no amount, and never will have one."""
    drill = drill_of("dead_letters")
    hotel, folio = drill.hotel, new_id("fol")
    captured = {"paymentId": f"psp_{uuid4()}", "folioId": folio, "amount": usd(4_000)}
    early = hotel.deliver("on_payment_captured", captured)
    poisoned = hotel.deliver("on_payment_captured", {**captured, "amount": None})
    assert (early.status_code, poisoned.status_code) == (204, 204), "they do not come again"
    assert drill.goes_off("event_refused")

    typed = drill.first_five_minutes()
    listed = typed["billing dlq list --consumer on_payment_captured --json"]
    found = json.loads(listed.stdout)["letters"]
    reasons = {each["reason"].split(":")[0].rpartition(".")[2]: each["id"] for each in found}
    assert set(reasons) == {"FOLIO_UNKNOWN", "VALIDATION_FAILED"}
    shown = drill.run("billing dlq show", reasons["FOLIO_UNKNOWN"], "--json")
    assert json.loads(shown.stdout)["event"]["data"] == captured

    drill.run("billing dlq drop", reasons["VALIDATION_FAILED"], "--reason", "a right one comes")
    hotel.open_folio(id=folio)
    drill.run("billing dlq replay", reasons["FOLIO_UNKNOWN"])
    again = drill.run("billing dlq replay --consumer on_payment_captured")

    assert again.stdout == ""
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(-4_000), "paid, and once"
    assert "0 letters" in drill.run("billing dlq list").stdout
    drill.is_over()
