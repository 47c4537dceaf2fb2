"""The audit trail: an entry for every transition, and no way to touch one unseen (AUD-1, AUD-2)."""

import hashlib
import json
from uuid import uuid4

import pytest

from tests.hotel import Hotel, House, charge, usd
from tests.proofs import assert_trails_are_whole, state, trail

FIRST = "aggregate_kind = 'folio' AND sequence = 1"
SECOND = "aggregate_kind = 'folio' AND sequence = 2"


@pytest.fixture
def hotel(house: House) -> Hotel:
    """A hotel in whose books everything has happened once."""
    hotel = house.new_hotel()
    folio = hotel.open_folio(guest={"name": "Zarmina Ahmadi"})
    charged = hotel.charged(folio)
    words = {"description": "Noise", "reason": "Lift works"}
    hotel.post(f"/folios/{folio}/adjustments", {"chargeId": charged, "amount": usd(-100), **words})
    hotel.post(f"/folios/{folio}/charges/{charged}/void", {"reason": "Wrong room"})
    hotel.charged(folio)
    hotel.post(f"/folios/{folio}/close")
    hotel.paid(folio, usd(11_000))
    closed = hotel.post(f"/folios/{folio}/close", token=hotel.token(sub="laila"))
    hotel.render(closed.json["invoiceId"])
    hotel.get("/folios", headers={"X-Tenant-Id": str(uuid4())})
    return hotel


@pytest.mark.req("AUD-1", "MON-6")
def test_nothing_happens_where_no_entry_can_be_written(house: House) -> None:
    """The place of the next entry is taken behind the service's back: no charge without it."""
    hotel = house.new_hotel()
    folio = hotel.open_folio()
    hotel.rows(
        "INSERT INTO {s}.audit_entries SELECT (jsonb_populate_record(entry,"
        """ '{"id": "aud_planted", "sequence": 2}')).* FROM {s}.audit_entries AS entry"""
    )
    before = state(hotel)

    answer = hotel.post(f"/folios/{folio}/charges", charge())

    assert answer.status_code == 503
    assert state(hotel) == before


@pytest.mark.req("AUD-1")
def test_every_transition_has_its_entry(hotel: Hotel) -> None:
    entries = trail(hotel)

    assert [(e["aggregate_kind"], e["sequence"], e["action"]) for e in entries] == [
        ("actor", 1, "security.attempt_refused"),
        ("folio", 1, "folio.opened"),
        ("folio", 2, "charge.posted"),
        ("folio", 3, "charge.adjusted"),
        ("folio", 4, "charge.voided"),
        ("folio", 5, "charge.posted"),
        ("folio", 6, "folio.balance_due"),
        ("folio", 7, "payment.recorded"),
        ("folio", 8, "folio.closed"),
        ("invoice", 1, "invoice.generated"),
        ("invoice", 2, "invoice.rendered"),
        ("signing_certificate", 1, "certificate.kept"),
    ]
    reasons = {e["action"]: e["reason"] for e in entries if e["reason"]}
    assert reasons["charge.adjusted"] == "Lift works"
    assert reasons["charge.voided"] == "Wrong room"
    for entry in entries:
        assert len(entry["trace_id"]) == 32
        assert entry["auth_strength"] in ("pwd", "service")
        assert entry["occurred_at"] <= entry["recorded_at"]
    assert_trails_are_whole(hotel)


@pytest.mark.req("AUD-1")
def test_the_digest_is_of_what_the_folio_was_and_became(hotel: Hotel) -> None:
    """Recomputed from the row: sorted members, no spaces, SHA-256."""
    ((row, digest),) = hotel.rows(
        "SELECT json_build_object('id', id, 'propertyId', property_id, 'currency', currency,"
        " 'status', status, 'reservationId', reservation_id, 'window', window_name,"
        " 'balanceMicro', balance_micro, 'lastLine', last_line), state_digest FROM {s}.folios"
    )

    text = json.dumps(row, sort_keys=True, separators=(",", ":"))

    assert hashlib.sha256(text.encode()).digest() == digest
    assert trail(hotel, "folio.closed")[0]["digest_after"] == digest


@pytest.mark.req("AUD-1", "EVT-1")
def test_an_entry_tells_what_its_event_tells(hotel: Hotel) -> None:
    for event in hotel.events():
        name = event["type"].removeprefix("melmastoon.billing.").removesuffix(".v1")
        details = [
            json.loads(entry["detail"])
            for entry in trail(hotel, name)
            if entry["sequence"] == int(event["sequence"])
        ]
        assert details == [event["data"]]


@pytest.mark.req("AUD-2")
@pytest.mark.parametrize(
    "tampering",
    [
        f"UPDATE {{s}}.audit_entries SET actor = 'nobody' WHERE {SECOND}",
        f"UPDATE {{s}}.audit_entries SET detail = '{{{{}}}}' WHERE {SECOND}",
        f"UPDATE {{s}}.audit_entries SET reason = 'x' WHERE {SECOND}",
        f"UPDATE {{s}}.audit_entries SET occurred_at = occurred_at - interval '1 s' WHERE {SECOND}",
        f"UPDATE {{s}}.audit_entries SET digest_after = sha256('x') WHERE {SECOND}",
        f"UPDATE {{s}}.audit_entries SET hash = sha256('x') WHERE {SECOND}",
        f"DELETE FROM {{s}}.audit_entries WHERE {FIRST}",
        f"DELETE FROM {{s}}.audit_entries WHERE {SECOND}",
        "DELETE FROM {s}.audit_entries WHERE aggregate_kind = 'folio' AND sequence = 8",
        "DELETE FROM {s}.audit_entries WHERE aggregate_kind = 'folio'",
        "UPDATE {s}.audit_entries SET sequence = 11 - sequence"
        " WHERE aggregate_kind = 'folio' AND sequence IN (5, 6)",
        "INSERT INTO {s}.audit_entries SELECT tenant_id, 'aud_x', aggregate_kind, aggregate_id, 9,"
        " action, actor, auth_strength, step_up_token_id, assertion_hash, reason, detail,"
        " digest_before, digest_after, trace_id, occurred_at, recorded_at, previous_hash, hash"
        " FROM {s}.audit_entries WHERE aggregate_kind = 'folio' AND sequence = 8",
    ],
)
def test_touching_one_entry_is_found(hotel: Hotel, tampering: str) -> None:
    assert_trails_are_whole(hotel)
    hotel.rows("ALTER TABLE {s}.audit_entries DROP CONSTRAINT audit_entries_are_consecutive")

    hotel.rows(tampering.replace("{{}}", "{}"))

    with pytest.raises(AssertionError):
        assert_trails_are_whole(hotel)
