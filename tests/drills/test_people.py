"""Drills about people: a second one who does not come, and those who do what they must not."""

import json
from uuid import uuid4

import pytest

from tests.drills.drill import DrillOf, summary
from tests.hotel import charge, usd
from tests.till import OPERATE, Till, counted
from tests.together import meanwhile

pytestmark = pytest.mark.req("OPS-3")
SIX_HOURS = 6 * 3600 + 60


def test_a_counted_drawer_waits_for_its_second_person(drill_of: DrillOf) -> None:
    """Karim counted 95.00 and went home; Nadia counts anew after six hours, and Omar confirms."""
    drill = drill_of("drawer_stuck")
    till = Till.opened(drill.hotel, usd(10_000))
    assert till.initiate(usd(9_500)).status_code == 200
    drill.waits(SIX_HOURS)

    typed = drill.first_five_minutes()
    assert summary(typed["billing job run watch_stuck_sessions --dry-run"])["due"] == 1
    assert not drill.goes_off("drawer_stuck"), "a dry run tells nobody"
    drill.fires("watch_stuck_sessions")
    assert drill.goes_off("drawer_stuck")
    (fact,) = drill.hotel.events("cash_drawer.stuck")
    assert {"propertyId", "cashDrawerId", "cashSessionId"} <= fact["data"].keys()

    drill.page.says("POST /api/v1/cash-sessions/{id}/recount")
    assert till.recount(usd(9_500), by="nadia").status_code == 200
    closed = till.close(usd(9_500), number=2, closed_by="nadia", by="omar")

    assert closed.json["status"] == "closed"
    drill.is_over()


def test_a_confirmation_comes_a_second_time(drill_of: DrillOf) -> None:
    """The count is sent under another key with its old signature; under its own it is answered."""
    drill = drill_of("step_up_replay")
    till, key = Till.opened(drill.hotel, usd(10_000)), str(uuid4())
    context = till.context(counted(usd(9_500)))
    signature = drill.hotel.confirmation(till.karim, OPERATE, context)
    first = till.initiate(usd(9_500), token=signature, key=key)
    assert not drill.goes_off("step_up_replayed")

    replayed = till.initiate(usd(9_500), token=signature)

    assert (replayed.status_code, replayed.json["code"]) == (403, "MELMASTOON.IAM.STEP_UP_REPLAY")
    assert drill.goes_off("step_up_replayed")
    drill.first_five_minutes()
    drill.page.says("Retrying with the same key and the same request needs no new confirmation")
    again = till.initiate(usd(9_500), token=signature, key=key)
    assert (again.status_code, again.json) == (first.status_code, first.json)
    drill.is_over()


def test_somebody_names_another_tenant(drill_of: DrillOf) -> None:
    """A program sends one hotel's token with the other's id; its event waits as a letter."""
    drill = drill_of("cross_tenant_attempt")
    hotel, other = drill.hotel, str(uuid4())

    refused = hotel.get("/folios", headers={"X-Tenant-Id": other})
    hotel.deliver("on_tenant_created", {"tenantId": other})

    assert refused.json["code"] == "MELMASTOON.GENERAL.CROSS_TENANT_REFERENCE"
    assert drill.goes_off("cross_tenant_attempt")
    typed = drill.first_five_minutes()
    shown = typed["billing tenant show 2f8e7c1a-4b6d-4e3f-9a52-7d1c0b9e8f64 --json"]
    assert json.loads(shown.stdout)["status"] == "active"
    letters = json.loads(drill.type("dlq", "list", "--json").stdout)["letters"]
    (letter,) = [each["id"] for each in letters if "CROSS_TENANT_REFERENCE" in each["reason"]]
    drill.run("billing dlq drop", letter, "--reason", "the publisher was told")
    assert hotel.get("/folios").status_code == 200, "who does not do it is not concerned"
    drill.is_over()


def test_charges_to_one_folio_queue_up(drill_of: DrillOf) -> None:
    """Somebody holds the folio; a charge waits for its turn, those of another folio go on."""
    drill = drill_of("hot_folio")
    hotel = drill.hotel
    hot, other = hotel.open_folio(), hotel.open_folio()
    path = f"/folios/{hot}/charges"
    with drill.house.session() as holder:
        holder.run("BEGIN")
        holder.run(f"SELECT FROM {hotel.schema}.folios WHERE id = :id FOR UPDATE", id=hot)
        with meanwhile(lambda: hotel.post(path, charge())) as answer:
            drill.house.until_waiting(holder)
            hotel.charged(other)
            drill.first_five_minutes()
            holder.run("COMMIT")
    assert answer().status_code == 201

    drill.page.says("POST /api/v1/folios/{folio_id}/charges/batch")
    batch = hotel.post(f"{path}/batch", {"charges": [charge(), charge()]})

    assert batch.status_code == 201, batch.text
    assert hotel.get(f"/folios/{hot}").json["balance"] == usd(33_000)
    drill.is_over()
