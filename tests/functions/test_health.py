"""Health: whether the process lives, and whether it can work (API-8)."""

from dataclasses import replace

import pytest

from tests.hotel import Hotel, House


@pytest.mark.req("API-8")
def test_lives_without_asking_anybody(house: House) -> None:
    """Not even a database that is not there."""
    nowhere = house.beside(databases={"main": "postgresql://nobody@127.0.0.1:1/nothing"})

    answer = nowhere.client.get("/health")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    nowhere.close()


@pytest.mark.req("API-8")
def test_is_ready_and_says_in_which_state(hotel: Hotel) -> None:
    """An event waits: its age is told, and nothing of whose it is."""
    folio = hotel.open_folio()

    answer = hotel.get("/health/ready", token=None)

    assert answer.status_code == 200, answer.text
    found = answer.json
    assert (found["ready"], found["database"]) == (True, "up")
    assert found["schemaVersion"] >= 1
    assert found["outboxAgeSeconds"] >= 0
    assert found["circuitBreakers"] == {"gateway": "closed", "orchestrator": "closed"}
    assert found["version"]
    for secret in (folio, str(hotel.tenant_id), hotel.tenant_id.hex, hotel.schema):
        assert secret not in answer.text


@pytest.mark.req("API-8")
def test_is_not_ready_without_its_database_and_names_no_address(house: House) -> None:
    nowhere = house.beside(databases={"main": "postgresql://nobody@127.0.0.1:1/nothing"})

    answer = nowhere.client.get("/health/ready")

    assert answer.status_code == 503
    assert (answer.json["ready"], answer.json["outboxAgeSeconds"]) == (False, None)
    assert answer.json["database"] != "up"
    assert "127.0.0.1" not in answer.text
    nowhere.close()


@pytest.mark.req("API-8")
def test_answers_nothing_but_a_get(house: House) -> None:
    for path in ("/health", "/health/ready"):
        answer = house.client.post(path)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET"


@pytest.mark.req("API-8")
def test_refuses_work_with_a_problem_while_the_database_is_away(hotel: Hotel) -> None:
    """503 with Retry-After, and nothing of the address; the same request will do later."""
    nowhere = hotel.house.beside(databases={"main": "postgresql://nobody@127.0.0.1:1/nothing"})

    answer = replace(hotel, house=nowhere).post("/folios", {"propertyId": str(hotel.property_id)})
    away = replace(hotel, house=nowhere).get("/folios")

    assert answer.status_code == 400  # what is wrong with the request itself is found without one
    assert away.status_code == 503
    assert away.json["code"] == "MELMASTOON.GENERAL.TEMPORARILY_UNAVAILABLE"
    assert int(away.headers["Retry-After"]) > 0
    assert "127.0.0.1" not in away.text
    nowhere.close()
