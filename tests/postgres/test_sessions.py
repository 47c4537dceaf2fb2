"""One setting decides how a database is reached; the code behind it is the same."""

from typing import Any

import pg8000.dbapi
import pytest
from google.cloud.sql.connector import Connector

from common.local.database import LocalDatabase
from common.postgres.connection import Statement
from common.postgres.sessions import AddressInvalid, connector, opener


@pytest.mark.req("TEN-5")
def test_reaches_cloud_sql_by_the_official_connector_with_iam_tokens(
    server: LocalDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connector makes the TLS socket; only that seam is replaced, by a socket of our server."""
    asked: list[dict[str, Any]] = []

    def connect(self: Connector, instance: str, driver: str, **how: Any) -> Any:
        asked.append({"instance": instance, "driver": driver, **how})
        return pg8000.dbapi.connect("postgres", database="postgres", unix_sock=str(server.socket))

    monkeypatch.setattr(Connector, "connect", connect)
    monkeypatch.setattr(Connector, "__init__", lambda self, **how: asked.append(how))
    address = "cloudsql://project:region:instance/billing?user=billing@project.iam&ip=private"

    connection = connector(address, timeout_seconds=5)()
    rows = connection.run([Statement("BEGIN"), Statement("SELECT $1::int", (7,))])
    connection.close()

    assert rows[1] == [[7]]
    assert asked[0] == {"refresh_strategy": "lazy"}
    assert asked[1]["instance"] == "project:region:instance"
    assert asked[1]["driver"] == "pg8000"
    assert asked[1]["enable_iam_auth"] is True
    assert asked[1]["user"] == "billing@project.iam"
    assert asked[1]["ip_type"].value == "PRIVATE"


def test_refuses_an_address_that_it_cannot_reach() -> None:
    with pytest.raises(AddressInvalid):
        opener("mysql://somewhere/billing", timeout_seconds=5)
