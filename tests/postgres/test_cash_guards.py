"""What the database refuses of cash, whoever writes: one session a drawer, two persons a close.

Each rule is broken by an UPDATE or INSERT behind the service's back, and named by the refusal; that
the same row is taken without the offence shows that it is the rule that refuses.
"""

from typing import Any

import pytest
from pg8000.exceptions import DatabaseError

from tests.hotel import Hotel, usd
from tests.till import Till, new_drawer

WAITING = "UPDATE {s}.cash_sessions SET {set} WHERE id = :id"
CLOSED = (
    "status = 'closed', pending_since = NULL, closed_at = now(), assertion_hash = 'h',"
    " step_up_method = 'totp', {}"
)
GOOD = CLOSED.format("co_signer = 'laila', step_up_token_id = 'jti-2'")
SECOND = """
INSERT INTO {s}.cash_sessions (tenant_id, id, drawer_id, property_id, status, business_date,
  opened_by, opened_at, counts, discrepancy, version, trail, state_digest)
SELECT tenant_id, 'cds_2', drawer_id, property_id, '{status}', business_date, opened_by, opened_at,
  0, false, 1, trail, state_digest
FROM {s}.cash_sessions
"""
EXPLAINED = (
    "status = 'acknowledged', acknowledged_at = now(), acknowledging_token_id = 'jti-3',"
    " acknowledging_assertion_hash = 'h', acknowledging_method = 'totp', explanation = 'Torn',"
    " acknowledged_by = "
)
OFFENCES = {
    "drawer_is_closed_by_two_persons": CLOSED.format(
        "co_signer = closed_by, step_up_token_id = 'jti-2'"
    ),
    "two_signatures_are_two_confirmations": CLOSED.format(
        "co_signer = 'laila', step_up_token_id = closing_token_id"
    ),
    "closed_session_is_co_signed": "status = 'closed', pending_since = NULL",
    "co_signature_is_whole": GOOD.replace("'h'", "NULL"),
    "count_is_signed": "closing_token_id = NULL",
    "open_session_holds_no_count": "status = 'open', pending_since = NULL",
    "pending_session_waits": "pending_since = NULL",
    "session_status_is_known": "status = 'lost', pending_since = NULL",
    "acknowledgement_is_whole": "acknowledged_by = 'farid'",
    "discrepancy_is_explained_by_a_third_person": f"{GOOD}, {EXPLAINED}'laila'".replace(
        "status = 'closed', ", "", 1
    ),
}


@pytest.fixture
def till(hotel: Hotel) -> Till:
    opened = Till.opened(hotel, usd(10_000))
    opened.initiate(usd(9_500))
    return opened


def refused_by(hotel: Hotel, sql: str, **parameters: Any) -> str | None:
    """The name of the rule that refuses a statement, in a transaction that is rolled back."""
    with hotel.house.session() as session:
        session.run("BEGIN")
        try:
            session.run(sql.replace("{s}", hotel.schema), **parameters)
            session.run("SET CONSTRAINTS ALL IMMEDIATE")
        except DatabaseError as refused:
            name: str = refused.args[0]["n"]
            return name
        finally:
            session.run("ROLLBACK")
    return None


@pytest.mark.req("CASH-1", "CASH-4", "CASH-5", "BEY-1")
@pytest.mark.parametrize("rule", OFFENCES)
def test_a_session_keeps_the_rule(till: Till, rule: str) -> None:
    offence = WAITING.replace("{set}", OFFENCES[rule])

    assert refused_by(till.hotel, offence, id=till.session) == rule


@pytest.mark.req("CASH-1", "CASH-4", "CASH-5")
@pytest.mark.parametrize(
    "change", [GOOD, f"{GOOD}, {EXPLAINED}'farid'".replace("status = 'closed', ", "", 1)]
)
def test_a_session_without_an_offence_is_taken(till: Till, change: str) -> None:
    good = WAITING.replace("{set}", change)

    assert refused_by(till.hotel, good, id=till.session) is None


@pytest.mark.req("CASH-1")
def test_a_drawer_has_one_session_that_is_open_or_waits(till: Till) -> None:
    second = SECOND.replace("{status}", "open")

    assert refused_by(till.hotel, second) == "one_open_session_per_drawer"
    till.close(usd(9_500))
    assert refused_by(till.hotel, second) is None


@pytest.mark.req("PAY-2", "CASH-2", "MON-6")
def test_cash_lies_in_a_drawer_that_is_named(till: Till) -> None:
    other = Till.opened(till.hotel, usd(100), by="laila")
    till.hotel.paid(till.hotel.open_folio(), usd(100), allowCredit=True)
    (entry,) = till.hotel.rows(
        "SELECT source FROM {s}.ledger_entries WHERE cash_session_id = :id", id=till.session
    )
    change = "UPDATE {s}.ledger_entries SET {set} WHERE source = :source"

    for offence in (
        "cash_session_id = NULL",
        f"cash_session_id = '{other.session}'",
        f"debit_account = 'cash:{other.session}'",
    ):
        statement = change.replace("{set}", offence)
        rule = refused_by(till.hotel, statement, source=entry[0])
        assert rule == "cash_entry_names_its_session", offence
    payment = "UPDATE {s}.payments SET method = 'cash'"
    assert refused_by(till.hotel, payment) == "cash_payment_names_its_session"
    voucher = f"UPDATE {{s}}.payments SET cash_session_id = '{till.session}'"
    assert refused_by(till.hotel, voucher) == "cash_payment_names_its_session"
    assert refused_by(till.hotel, f"{payment}, cash_session_id = '{till.session}'") is None


@pytest.mark.req("CASH-2", "MON-6")
def test_movements_are_added_to_and_never_changed(till: Till) -> None:
    """The tenant's role is granted no more: who got into the service cannot do it either."""
    granted = till.hotel.house.sql(
        "SELECT DISTINCT privilege_type FROM information_schema.role_table_grants"
        " WHERE table_schema = :s AND table_name = 'cash_movements' AND grantee LIKE 'tenant%'",
        s=till.hotel.schema,
    )
    assert sorted(row[0] for row in granted) == ["INSERT", "SELECT"]
    fixed = till.hotel.house.sql(
        "SELECT column_name FROM information_schema.role_column_grants"
        " WHERE table_schema = :s AND table_name = 'cash_sessions' AND grantee LIKE 'tenant%'"
        " AND privilege_type = 'UPDATE'",
        s=till.hotel.schema,
    )
    assert not {row[0] for row in fixed} & {"id", "drawer_id", "property_id", "opened_by"}


@pytest.mark.req("CASH-2")
@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("cash_movement_is_positive", "amount_micro = 0"),
        ("cash_movement_kind_is_known", "kind = 'lost'"),
        ("movement_by_hand_has_a_reason", "kind = 'drop'"),
        ("movement_is_in_a_session", "session_id = 'cds_none'"),
    ],
)
def test_a_movement_keeps_the_rule(till: Till, rule: str, change: str) -> None:
    assert refused_by(till.hotel, f"UPDATE {{s}}.cash_movements SET {change}") == rule


@pytest.mark.req("CASH-1")
def test_a_session_is_of_a_drawer(till: Till) -> None:
    new_drawer(till.hotel)
    offence = "UPDATE {s}.cash_sessions SET drawer_id = 'cdr_none'"

    assert refused_by(till.hotel, offence) == "session_is_of_a_drawer"
