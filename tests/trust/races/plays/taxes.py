"""Taxes that come late, while somebody else works on the folio."""

from typing import Any

from tests.hotel import Hotel, charge, usd
from tests.trust.races.plays.playbill import balance, closes, posts, race, statuses
from tests.trust.races.stage import Stage

BACKFILL = "/folios/tax-backfill"


@race
def two_accountants_back_fill_one_folio(stage: Stage) -> None:
    """And a bar posts to it: 100.00 untaxed become 110.00 once, and 10.00 are 11.00."""
    folio = untaxed(stage.hotel)
    for name in ("mariam", "farid"):
        stage.plays(name, lambda at, name=name: at.post(BACKFILL, asked(folio), key=name))
    stage.plays("bar", posts(folio, "bill"))

    *accountants, bar = stage.play()

    assert statuses(accountants) == {200: 2}
    assert bar.status_code == 201
    corrected = [len(answer.json["folios"][0]["lines"]) for answer in accountants]
    assert sorted(corrected) == [0, 3]
    assert balance(stage.hotel, folio) == 12_100


@race
def taxes_come_while_the_guest_leaves(stage: Stage) -> None:
    """Taxed first, the guest owes 10.00; closed first, it takes a credit note."""
    folio = untaxed(stage.hotel)
    stage.hotel.paid(folio, usd(10_000))
    stage.plays("accountant", lambda at: at.post(BACKFILL, asked(folio), key="late"))
    stage.plays("porter", closes(folio, "leaves"))

    accountant, porter = stage.play()

    assert (accountant.status_code, porter.status_code) in {(200, 409), (409, 200)}
    assert balance(stage.hotel, folio) == (1_000 if porter.status_code == 409 else 0)


def asked(folio: str) -> dict[str, Any]:
    return {"folioIds": [folio], "reason": "The rule came late"}


def untaxed(hotel: Hotel) -> str:
    """A folio with 100.00 that no rule covered; then the VAT of 10 % comes into force."""
    (house,) = hotel.settings()["properties"]
    until = {"allowUntaxed": True, "untaxedUntil": "2099-01-01T00:00:00Z"}
    hotel.write_settings(taxRules=[], properties=[{**house, **until}])
    folio = hotel.open_folio()
    assert hotel.post(f"/folios/{folio}/charges", charge()).status_code == 201
    hotel.write_settings()
    return folio
