"""One setting decides how a database is reached; the code behind it is the same."""

from functools import partial
from pathlib import Path

import pytest
from google.cloud.sql.connector import Connector

from common.local.database import LocalDatabase
from common.postgres.address import open_session
from common.postgres.connection import ConnectionLost, Statement
from common.postgres.sessions import AddressInvalid, connector, opener
from tests.adapters.cloud_sql_stand_in import (
    ACCOUNT,
    INSTANCE,
    CloudSqlStandIn,
    LoginAccount,
    cloud_sql_served,
)


@pytest.mark.req("TEN-5", "TEN-2b", "LOC-2")
def test_reaches_cloud_sql_by_the_official_connector_with_iam_tokens(
    server: LocalDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Google's own connector, from the Admin API through TLS 1.3 to a real PostgreSQL. There is no
    password anywhere: a token that is good for logging in only buys a certificate of an hour.

    A server that falls silent is given up after a second, as it is over every other way."""
    administrator = open_session(server.dsn())
    administrator.run(f'CREATE ROLE "{ACCOUNT}" LOGIN')
    stand_in = CloudSqlStandIn(server.socket)
    address = f"cloudsql://{INSTANCE}/postgres?user={ACCOUNT}&ip=private"
    with cloud_sql_served(stand_in, tmp_path) as api:
        made = partial(Connector, credentials=LoginAccount(), sqladmin_api_endpoint=api)
        monkeypatch.setattr("google.cloud.sql.connector.Connector", made)

        connect = connector(address, timeout_seconds=1)
        connection, second = connect(), connect()
        rows = connection.run(
            [Statement("BEGIN"), Statement("SELECT current_user::text, $1::int", (7,))]
        )
        stand_in.holds_back.set()
        with pytest.raises(ConnectionLost):
            second.run([Statement("SELECT 1")])
        for each in (connection, second):
            each.close()

    administrator.run(f'DROP ROLE "{ACCOUNT}"')
    administrator.close()
    assert rows[1] == [[ACCOUNT, 7]]
    assert second.lost
    assert stand_in.logins == ["ya29.login"], "one certificate serves both sessions"
    assert {call for call, _, _ in stand_in.log} == {
        "connectSettings",
        "billing-main:generateEphemeralCert",
    }
    for _, agent, token in stand_in.log:
        assert agent.startswith("cloud-sql-python-connector/")
        assert token == "Bearer ya29.api"


def test_refuses_an_address_that_it_cannot_reach() -> None:
    with pytest.raises(AddressInvalid):
        opener("mysql://somewhere/billing", timeout_seconds=5)
