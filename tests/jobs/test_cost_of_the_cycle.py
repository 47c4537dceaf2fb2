"""What the cycle and the reminder read follows what is due, and not what is kept (SUB-13).

Counted and not timed: the rows that the parts of a plan have touched, those that were thrown away
among them, for the statements that the jobs ask; beside 1,000 that are not due, and beside 6,000.
"""

import json
from typing import Any

import pg8000.native
import pytest

from common.postgres import subscriptions, trials
from tests.hotel import Hotel, House
from tests.trust.faults.subscription_examples import overdue, trial_that_is

pytestmark = pytest.mark.req("SUB-13", "SUB-10")

LEFT_BY_OTHERS = ("subscriptions", "trials", "revenue_movements", "subscription_invoices")
BESIDES = """
INSERT INTO billing_central.subscriptions
SELECT (jsonb_populate_record(original, jsonb_build_object(
  'id', concat('sub_besides_', n), 'tenant_id', gen_random_uuid(), 'status', becomes,
  'canceled_at', CASE WHEN becomes = 'canceled' THEN now() END, 'paused_at', now(),
  'period_end', now() + interval '30 days',
  'due_at', CASE WHEN becomes = 'active' THEN now() + interval '30 days' END))).*
FROM billing_central.subscriptions AS original
CROSS JOIN generate_series({first}, {last}) AS n
CROSS JOIN LATERAL (
  SELECT (ARRAY['active', 'paused', 'suspended', 'canceled'])[n % 4 + 1] AS becomes) AS states
WHERE id = (SELECT min(id) FROM billing_central.subscriptions WHERE status = 'active')
"""
TRIALS_BESIDES = """
INSERT INTO billing_central.trials
SELECT concat('sub_besides_', n), gen_random_uuid(), now(), now() + interval '14 days',
       CASE WHEN n % 2 = 0 THEN now() + interval '11 days' END
FROM generate_series({first}, {last}) AS n
"""
ASKED = {
    "due tenants": (subscriptions.DUE_TENANTS, True),
    "due periods": (subscriptions.DUE, True),
    "lock": (subscriptions.TAKE, False),
    "read": (subscriptions.GET, False),
    "tenants to remind": (trials.TENANTS_TO_REMIND, True),
    "to remind": (trials.TO_REMIND, True),
    "trial": (trials.FIND, False),
}


def touched(node: dict[str, Any]) -> int:
    """The rows that the scans of a plan came upon, kept or not."""
    here = 0
    if "Relation Name" in node:
        away = [count for name, count in node.items() if name.startswith("Rows Removed by")]
        here = round((node["Actual Rows"] + sum(away)) * node["Actual Loops"])
    return here + sum(touched(part) for part in node.get("Plans", ()))


def read_by(session: pg8000.native.Connection, sql: str, *, dated: bool) -> int:
    asked = sql.replace("$1", "now()") if dated else sql
    plan = session.run(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked}")[0][0]
    document = json.loads(plan) if isinstance(plan, str) else plan
    return touched(document[0]["Plan"])


def test_what_is_kept_besides_is_not_touched(house: House) -> None:
    """Two periods and a reminder are due: a handful of rows is read, whatever stands besides."""
    hotels = [house.new_hotel() for _ in range(3)]
    for hotel in hotels[:2]:
        overdue(hotel)
    trial_that_is(hotels[2], 12)

    with house.session() as session:
        session.run("BEGIN")
        session.run("SET LOCAL session_replication_role = replica")
        for table in LEFT_BY_OTHERS:
            session.run(
                f"DELETE FROM billing_central.{table} WHERE tenant_id <> ALL(CAST(:t AS uuid[]))",
                t=[hotel.tenant_id for hotel in hotels],
            )
        session.run("DELETE FROM billing_central.plan_versions WHERE published_at > '2026-01-02'")
        few = _beside(session, hotels, 1, 1_000)
        many = _beside(session, hotels, 1_001, 6_000)
        session.run("ROLLBACK")

    assert many == few
    assert max(few.values()) <= 12  # the plans that are shipped among them
    assert few["due tenants 0"] == 2
    assert few["tenants to remind 0"] == 1


def _beside(
    session: pg8000.native.Connection, hotels: list[Hotel], first: int, last: int
) -> dict[str, int]:
    """What is read when so many more are kept that are not due."""
    for kept in (BESIDES, TRIALS_BESIDES):
        session.run(kept.format(first=first, last=last))
    session.run("ANALYZE billing_central.subscriptions, billing_central.trials")
    return _counts(session, hotels)


def _counts(session: pg8000.native.Connection, hotels: list[Hotel]) -> dict[str, int]:
    found = {}
    for number, hotel in enumerate(hotels):
        session.run("SELECT set_config('app.tenant_id', :t, true)", t=str(hotel.tenant_id))
        for name, (sql, dated) in ASKED.items():
            found[f"{name} {number}"] = read_by(session, sql, dated=dated)
    return found
