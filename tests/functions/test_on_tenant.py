"""What the tenant service tells us: a tenant's home, its settings, its tax rules (TEN-4, TAX-1)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from tests.hotel import Hotel, House, charge, usd, vat
from tests.proofs import assert_trails_are_whole, state, trail
from tests.together import at_once

CREATED, SETTINGS, RULES = (
    "on_tenant_created",
    "on_tenant_settings_updated",
    "on_tenant_tax_rules_updated",
)


def _document(hotel: Hotel, **changes: Any) -> dict[str, Any]:
    """All settings but the tax rules, and a field that we do not know."""
    document = hotel.settings(**changes)
    del document["taxRules"]
    return {**document, "colour": "blue"}


def _versions(hotel: Hotel) -> list[dict[str, Any]]:
    return [r[0] for r in hotel.rows("SELECT document FROM {s}.settings_versions ORDER BY version")]


@pytest.fixture
def stranger(house: House) -> Iterator[Hotel]:
    """A tenant that nobody has heard of yet, at an instance that may make homes."""
    beside = house.beside(provisioner=house.server.dsn(database="billing"))
    yield Hotel(beside)
    beside.close()


@pytest.mark.req("TEN-4", "TEN-1")
def test_a_new_tenant_gets_its_home_and_works_once_its_settings_are_there(
    stranger: Hotel,
) -> None:
    opening = {"propertyId": str(stranger.property_id), "guest": {"name": "A"}}
    early = stranger.post("/folios", opening)

    made = stranger.deliver(CREATED, {"tenantId": str(stranger.tenant_id)})
    waiting = stranger.post("/folios", opening)
    settled = stranger.deliver(SETTINGS, _document(stranger))
    taxed = stranger.deliver(RULES, {"taxRules": [vat()]})

    assert [a.status_code for a in (made, settled, taxed)] == [204, 204, 204]
    for answer in (early, waiting):
        assert (answer.status_code, answer.json["code"]) == (
            403, "MELMASTOON.GENERAL.TENANT_UNKNOWN",
        )  # fmt: skip
    folio = stranger.open_folio()
    stranger.charged(folio)
    assert stranger.get(f"/folios/{folio}").json["balance"] == usd(11_000)


@pytest.mark.req("TEN-4")
def test_a_home_is_made_once_however_often_and_at_once_it_is_told(stranger: Hotel) -> None:
    tell = partial(stranger.deliver, CREATED, {"tenantId": str(stranger.tenant_id)})

    answers = at_once([tell] * 4)
    stranger.write_settings()
    folio = stranger.open_folio()
    before = state(stranger)
    again = tell()

    assert {answer.status_code for answer in answers} == {204}
    assert again.status_code == 204
    assert state(stranger) == before
    assert stranger.get(f"/folios/{folio}").status_code == 200


@pytest.mark.req("EVT-5", "SEC-3")
def test_a_home_is_made_for_the_tenant_of_the_envelope_only(stranger: Hotel) -> None:
    other = uuid4()

    answer = stranger.deliver(CREATED, {"tenantId": str(other)})

    assert answer.status_code == 204
    assert stranger.letters()[0].startswith("MELMASTOON.GENERAL.CROSS_TENANT_REFERENCE")
    schemas = stranger.house.sql(
        "SELECT count(*) FROM pg_namespace WHERE nspname = :s", s=f"tenant_{other.hex}_billing"
    )
    assert schemas == [[0]]


@pytest.mark.req("EVT-3", "AUD-1")
def test_settings_come_into_force_as_a_whole_and_leave_the_tax_rules_alone(hotel: Hotel) -> None:
    answer = hotel.deliver(SETTINGS, _document(hotel, numberPrefix="H", showFxAtClose=True))

    assert answer.status_code == 204, answer.text
    first, second = _versions(hotel)
    assert (second["numberPrefix"], second["showFxAtClose"]) == ("H", True)
    assert [rule["code"] for rule in second["taxRules"]] == ["VAT"]
    assert "colour" not in second
    assert first["properties"] == hotel.settings()["properties"]
    closed = hotel.post(f"/folios/{hotel.open_folio()}/close")
    assert closed.json["invoiceNumber"].startswith("H-AF-KBL-")
    (entry,) = trail(hotel, "settings.changed")
    assert entry["actor"] == f"system:{SETTINGS}"
    assert_trails_are_whole(hotel)


@pytest.mark.req("TAX-1", "OPS-3")
@pytest.mark.parametrize("since", [(vat(200_000),), ()], ids=["and changed anew", "and left"])
def test_settings_of_a_time_that_was_taken_back_are_not_in_force(
    hotel: Hotel, since: tuple[dict[str, Any], ...]
) -> None:
    """The database is as it was before they were changed; this process has worked with them."""
    folio = hotel.open_folio()
    hotel.deliver(RULES, {"taxRules": [vat(300_000)]})
    hotel.charged(folio)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(13_000)

    hotel.rows("DELETE FROM {s}.settings_versions WHERE version = 2")
    for rule in since:
        hotel.write_settings(taxRules=[rule])
    hotel.charged(folio)

    expected = 13_000 + (12_000 if since else 11_000)
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(expected)


@pytest.mark.req("TAX-1", "EVT-3", "AUD-1")
def test_tax_rules_come_into_force_from_the_next_charge_on(hotel: Hotel) -> None:
    """A charge names the settings that it was taxed under, so that its price can be explained."""
    folio = hotel.open_folio()
    hotel.charged(folio)

    answer = hotel.deliver(RULES, {"taxRules": [vat(200_000)]})
    hotel.charged(folio)

    assert answer.status_code == 204, answer.text
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(23_000)
    versions = hotel.rows(
        "SELECT settings_version FROM {s}.folio_lines WHERE type = 'charge' ORDER BY sequence"
    )
    assert versions == [[1], [2]]
    assert _versions(hotel)[1]["issuer"]["name"] == "Hotel Kabul"
    assert len(trail(hotel, "settings.changed")) == 1
    assert_trails_are_whole(hotel)


@pytest.mark.req("EVT-5")
def test_a_change_is_made_once_however_often_it_is_told(hotel: Hotel) -> None:
    tell = partial(hotel.deliver, RULES, {"taxRules": [vat(200_000)]}, event_id="evt_1")

    answers = [*at_once([tell] * 3), tell()]

    assert {answer.status_code for answer in answers} <= {204, 503}  # 503: comes again
    assert answers[-1].status_code == 204
    assert len(_versions(hotel)) == 2


@pytest.mark.req("EVT-5", "TAX-1")
def test_changes_that_come_at_once_are_versions_of_their_own(hotel: Hotel) -> None:
    """None is lost: the last version holds what the last change of each kind has said."""
    calls = [partial(hotel.deliver, RULES, {"taxRules": [vat(n * 10_000)]}) for n in (1, 2, 3)]
    calls.append(partial(hotel.deliver, SETTINGS, _document(hotel, numberPrefix="H")))

    answers = at_once(calls)
    again = [call() for call, answer in zip(calls, answers, strict=True)
             if answer.status_code != 204]  # fmt: skip

    assert {answer.status_code for answer in [*answers, *again]} <= {204, 503}
    last = _versions(hotel)[-1]
    assert len(_versions(hotel)) == 5
    assert last["numberPrefix"] == "H"
    assert last["taxRules"][0]["ratePpm"] in (10_000, 20_000, 30_000)
    assert_trails_are_whole(hotel)


@pytest.mark.req("TAX-1", "EVT-5")
@pytest.mark.parametrize(
    ("consumer", "code", "change"),
    [
        (RULES, "BILLING.TAX_RULE_INVALID", {"taxRules": [vat(perNight=usd(100))]}),
        (RULES, "BILLING.TAX_RULE_INVALID", {"taxRules": [vat(1_000_001)]}),
        (RULES, "BILLING.TAX_RULE_INVALID", {"taxRules": [vat(validTo="2019-01-01")]}),
        (RULES, "GENERAL.VALIDATION_FAILED", {"taxRules": [vat("ten")]}),
        (RULES, "GENERAL.VALIDATION_FAILED", {}),
        (SETTINGS, "GENERAL.VALIDATION_FAILED", {"issuer": None}),
        (SETTINGS, "BILLING.CURRENCY_UNKNOWN", {"fxRates": [{"base": "XXX"}]}),
        (SETTINGS, "BILLING.FX_RATE_INVALID", {"fxRates": [{"rate": "0"}]}),
        (SETTINGS, "BILLING.FX_RATE_INVALID", {"fxRates": [{"base": "USD"}]}),
        (SETTINGS, "BILLING.FX_RATE_INVALID", {"fxRates": [{}, {"rate": "1.2"}]}),
        (SETTINGS, "TIME_ZONE", {"properties": [{"timeZone": "Asia/Atlantis"}]}),
    ],
)
def test_what_contradicts_itself_never_comes_into_force(
    hotel: Hotel, consumer: str, code: str, change: dict[str, Any]
) -> None:
    """A version that cannot be read would keep every clerk of the hotel from working."""
    body = _filled(hotel, consumer, change)
    before = state(hotel)

    answer = hotel.deliver(consumer, body)

    assert answer.status_code == 204
    assert state(hotel) == before, json.dumps(_versions(hotel)[-1])
    (letter,) = hotel.letters()
    assert letter.startswith("MELMASTOON.")
    assert code in letter or code == "TIME_ZONE"
    assert hotel.post(f"/folios/{hotel.open_folio()}/charges", charge()).status_code == 201


def _filled(hotel: Hotel, consumer: str, change: dict[str, Any]) -> dict[str, Any]:
    """A whole document but for what is changed in it, also within its lists."""
    if consumer == RULES:
        return change
    document = _document(hotel)
    for name, value in change.items():
        document[name] = (
            [{**document[name][0], **part} for part in value] if isinstance(value, list) else value
        )
    return document


@pytest.mark.req("EVT-5")
def test_settings_of_a_tenant_that_is_not_there_yet_come_again(house: House) -> None:
    """The order of events is nobody's promise: not acknowledged, not a dead letter."""
    nobody = replace(house.new_hotel(), tenant_id=uuid4())

    answer = nobody.deliver(SETTINGS, _document(nobody))

    assert answer.status_code == 503
    assert nobody.letters() == []
