"""Layer 4 alone: the application believes no row before it has seen whose it is (TEN-2, SEC-3).

The service logs in as the administrator here, whom no right and no policy stops, and another
tenant's rows stand in the tenant's own tables, where the search path finds them.
"""

import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from importlib import import_module
from typing import Any

import pytest

import common.postgres
from common.postgres import session as sessions
from common.postgres.prepaid_sql import Questions
from tests.hotel import Hotel, House, charge
from tests.proofs import trail

pytestmark = pytest.mark.req("TEN-2", "SEC-3")

CODE = "MELMASTOON.GENERAL.CROSS_TENANT_REFERENCE"
OF_NO_TENANT = {
    "doctor",  # tooling
    "condition",  # how the database is, for readiness
    "breakers",  # the platform's
    "dead_letters",  # the platform's
    "drain",  # the platform's
    "invariants",  # answer what is wrong; a nonce says whose answer it is
    "migration_steps",  # tooling
    "migrations",  # tooling
    "platform_figures",  # the platform's, of all tenants, as a role that sees figures only
    "platform_figures_sql",
    "platform_taxes",  # the platform's, and every tenant's to read
    "plans",  # the platform's, and every tenant's to read
    "provisioning",  # tooling
    "recovery",  # tooling
    "tenants",  # tooling
    "trial_key_ring",  # the platform's: how many, and not whose
}
OF_NOBODY = {
    # the platform's numbers, meters and keys
    "trials.KEPT_KEYS",
    *("subscriptions.TAKE_SERIES", "platform_credits.TAKE_SERIES", "usage.METERS"),
    *(f"subscription_collections.{name}" for name in ("HELD", "INCIDENT_ON", "TAKE_INCIDENT")),
}
# Of what row security shows, and no row.
SUMS = {
    *("credit_purchases.DIFFERENCES", "payouts.ALONE", "payouts.HELD"),
    "subscriptions.GRANTED",
}
ANSWERS_NO_ROW = re.compile(r"\b(set_config|pg_(try_)?advisory_xact_lock(_shared)?)\(")


@pytest.fixture
def bare(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """An instance without the layers of the database."""
    bare = sessions.ENTER.replace("set_config('role', $2, true)", "$2::text")
    monkeypatch.setattr(sessions, "ENTER", bare)
    instance = house.beside(databases={"main": house.server.dsn("postgres", "billing")})
    yield instance
    instance.close()


@pytest.fixture
def mixed(house: House, bare: House) -> tuple[Hotel, Hotel]:
    """A hotel in whose tables another one's rows stand, and that other one."""
    mine, theirs = house.new_hotel(), house.new_hotel()
    return replace(mine, house=bare), replace(theirs, house=bare)


def copy(table: str, columns: str, source: Hotel, target: Hotel) -> None:
    source.house.sql(
        f"INSERT INTO {target.schema}.{table} ({columns}) SELECT {columns}"
        f" FROM {source.schema}.{table}"
    )


def columns_of(hotel: Hotel, table: str) -> str:
    rows = hotel.house.sql(
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute"
        " WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 AND NOT attisdropped",
        name=f"{hotel.schema}.{table}",
    )
    text: str = rows[0][0]
    return text


@pytest.mark.parametrize("reads", ["show", "list", "charge"])
def test_a_folio_of_another_tenant_is_never_believed(
    mixed: tuple[Hotel, Hotel], reads: str
) -> None:
    mine, theirs = mixed
    foreign = theirs.open_folio(guest={"name": "Secret Guest"})
    copy("folios", columns_of(mine, "folios"), theirs, mine)
    token = mine.token(property_ids=[mine.property_id, theirs.property_id])
    mine.write_settings(
        properties=[
            {**mine.settings()["properties"][0], "id": str(each.property_id), "code": code}
            for each, code in ((mine, "KBL"), (theirs, "HRT"))
        ]
    )

    answer = {
        "show": lambda: mine.get(f"/folios/{foreign}", token=token),
        "list": lambda: mine.get("/folios", token=token),
        "charge": lambda: mine.post(f"/folios/{foreign}/charges", charge(), token=token),
    }[reads]()

    assert (answer.status_code, answer.json["code"]) == (403, CODE)
    assert "Secret" not in answer.text
    assert foreign not in answer.json["detail"]
    [noted] = trail(mine, "security.attempt_refused")
    assert (noted["actor"], noted["reason"]) == ("clerk", CODE)
    assert mine.rows("SELECT count(*) FROM {s}.folio_lines") == [[0]]


def test_settings_of_another_tenant_are_never_believed(mixed: tuple[Hotel, Hotel]) -> None:
    """They would tax a charge by another country's rules, and stay in the cache."""
    mine, theirs = mixed
    mine.open_folio()
    theirs.write_settings(taxRules=[])
    copy("settings_versions", columns_of(mine, "settings_versions"), theirs, mine)

    refused = mine.post("/folios", {"propertyId": str(mine.property_id), "guest": {"name": "A"}})

    assert (refused.status_code, refused.json["code"]) == (403, CODE)
    mine.rows(
        "DELETE FROM {s}.settings_versions WHERE tenant_id = :theirs", theirs=theirs.tenant_id
    )
    folio = mine.open_folio()
    assert mine.post(f"/folios/{folio}/charges", charge()).json["lines"][1]["kind"] == "room"


def test_an_answer_of_another_tenant_is_never_given_again(mixed: tuple[Hotel, Hotel]) -> None:
    mine, theirs = mixed
    folio, foreign = mine.open_folio(), theirs.open_folio()
    body = charge(description="Secret charge")
    theirs.post(f"/folios/{foreign}/charges", body, key="k")
    mine.post(f"/folios/{folio}/charges", body, key="k")
    [[hash_of_mine]] = mine.rows(
        "SELECT key_hash FROM {s}.idempotency_keys WHERE function = 'post_charge'"
    )
    copy("idempotency_keys", columns_of(mine, "idempotency_keys"), theirs, mine)
    mine.rows(
        "DELETE FROM {s}.idempotency_keys WHERE key_hash = :hash AND tenant_id = :mine",
        hash=hash_of_mine,
        mine=mine.tenant_id,
    )
    mine.rows(
        "UPDATE {s}.idempotency_keys SET key_hash = :hash"
        " WHERE function = 'post_charge' AND tenant_id = :theirs",
        hash=hash_of_mine,
        theirs=theirs.tenant_id,
    )

    answer = mine.post(f"/folios/{folio}/charges", body, key="k")

    assert (answer.status_code, answer.json["code"]) == (403, CODE)


def test_the_connection_that_brought_a_foreign_row_is_thrown_away(
    mixed: tuple[Hotel, Hotel],
) -> None:
    """What it says next could be anybody's: a row out of place may be an answer out of step."""
    mine, theirs = mixed
    foreign = theirs.open_folio()
    copy("folios", columns_of(mine, "folios"), theirs, mine)
    pool = mine.house.wiring.pools["main"]
    before = pool.discarded

    mine.get(f"/folios/{foreign}")

    assert pool.discarded == before + 1


def asked_in(module: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What stands in a module, and each of the questions that are asked together."""
    for name, value in module.items():
        if isinstance(value, Questions):
            for part in fields(value):
                yield f"{name}.{part.name}".upper(), getattr(value, part.name)
        else:
            yield name, value


def test_every_question_of_a_store_asks_whose_the_row_is() -> None:
    """The guard looks at the first column of each row: so it has to be the tenant."""
    asked = {
        f"{found.name}.{name}": text
        for found in pkgutil.iter_modules(common.postgres.__path__)
        for name, text in asked_in(vars(import_module(f"common.postgres.{found.name}")))
        if name.isupper() and isinstance(text, str) and re.match(r"\s*SELECT\b", text)
    }
    of_tenants = {
        name: text
        for name, text in asked.items()
        if not {name, name.split(".")[0]} & (OF_NO_TENANT | OF_NOBODY | SUMS)
        and not ANSWERS_NO_ROW.search(text)
    }

    blind = [
        name
        for name, text in of_tenants.items()
        if not re.match(r"\s*SELECT\s+(\w+\.)?tenant_id\b", text)
    ]
    assert blind == []
    assert len(of_tenants) > 15
