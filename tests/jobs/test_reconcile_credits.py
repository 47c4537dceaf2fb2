"""Each account of credits is held against all that knows what it has (CRD-7)."""

import json
import threading
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from jobs.reconcile_credits import reconcile_credits
from tests.hotel import Hotel
from tests.postgres.credit_trials import credits_of_every_kind
from tests.prepaying import deduct, granted
from tests.proofs import state
from tests.together import at_once

pytestmark = pytest.mark.req("CRD-7", "JOB-1")

NAMES = {
    "entries": "credit_entries_do_not_come_to_the_balance",
    "lots": "credit_lots_do_not_come_to_the_balance",
    "book": "credit_book_does_not_come_to_the_balance",
    "held": "credits_held_are_not_what_the_holds_hold",
    "debt": "credits_owed_are_not_what_the_book_says",
}


def run(hotel: Hotel) -> Progress:
    """What a run over this tenant came to."""
    declared: Any = declaration_of(reconcile_credits)  # type: ignore[arg-type] # a job's
    orders = Orders(tenants=(hotel.tenant_id,))
    return hotel.house.wiring.job_shell.run(
        declared, orders, stop=threading.Event(), tell=lambda _: None
    )


def findings(capsys: pytest.CaptureFixture[str]) -> str:
    """The lines of the log that call somebody, since the last look."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return json.dumps([line for line in lines if line["severity"] == "ERROR"])


def test_says_nothing_of_credits_that_agree_and_changes_nothing(
    hotel: Hotel, capsys: pytest.CaptureFixture[str]
) -> None:
    credits_of_every_kind(hotel)
    before = state(hotel)
    capsys.readouterr()

    progress = run(hotel)

    assert (progress.exit_code, findings(capsys)) == (0, "[]")
    assert state(hotel) == before


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ("UPDATE {s}.credit_accounts SET balance_micro = balance_micro + 1", "entries lots book"),
        ("UPDATE {s}.credit_lots SET left_micro = left_micro + 1 WHERE id = root_id", "lots"),
        ("DELETE FROM {s}.credit_book_entries WHERE credit_account = 'spent'", "book"),
        ("UPDATE {s}.credit_accounts SET held_micro = held_micro + 1 WHERE name = 'main'", "held"),
        ("UPDATE {s}.credit_holds SET amount_micro = 1 WHERE status = 'open'", "held"),
        ("UPDATE {s}.credit_accounts SET debt_micro = debt_micro + 1", "debt"),
        ("DELETE FROM {s}.credit_book_entries WHERE debit_account = 'waived'", "debt"),
        ("UPDATE {s}.credit_ledger_entries SET amount_micro = 1 WHERE kind = 'grant'", "entries"),
    ],
    ids=["balance", "lot", "booking", "held", "hold", "debt", "waiver", "entry"],
)
def test_names_what_differs_and_repairs_nothing(
    hotel: Hotel, capsys: pytest.CaptureFixture[str], changed: str, found: str
) -> None:
    credits_of_every_kind(hotel)
    hotel.rows(changed)
    before = state(hotel)
    capsys.readouterr()

    progress = run(hotel)

    said = findings(capsys)
    assert progress.exit_code != 0
    assert {word for word, name in NAMES.items() if name in said} == set(found.split())
    assert state(hotel) == before


def test_live_traffic_does_not_look_like_a_difference(
    hotel: Hotel, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten runs beside forty deductions, and beside one another: nothing is found."""
    granted(hotel, 40)
    capsys.readouterr()

    def spend() -> int:
        return sum(deduct(hotel, 1).status_code == 201 for _ in range(10))

    def look() -> int:
        return sum(run(hotel).exit_code for _ in range(5))

    came_to = at_once([spend, spend, spend, spend, look, look])

    assert came_to == [10, 10, 10, 10, 0, 0]
    assert findings(capsys) == "[]"
