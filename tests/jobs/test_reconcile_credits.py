"""Each account of credits is held against all that knows what it has (CRD-7)."""

import json
import threading
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from jobs.reconcile_credits import reconcile_credits
from tests.buying import bought, grants
from tests.hotel import Hotel, new_id
from tests.postgres.credit_trials import credits_of_every_kind
from tests.postgres.purchase_trials import purchases_of_every_state
from tests.prepaying import available, deduct, granted
from tests.prepaying import bought as granted_by_hand
from tests.proofs import state, told
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


def forget_grants(hotel: Hotel) -> None:
    """Lose what was ever granted, and all that knew of it."""
    for table in ("credit_book_entries", "credit_entry_lots", "credit_ledger_entries"):
        hotel.rows(f"DELETE FROM {{s}}.{table}")
    hotel.rows("DELETE FROM {s}.credit_lots")
    hotel.rows("UPDATE {s}.credit_accounts SET balance_micro = 0, last_entry = 0")


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


def test_a_purchase_that_lacks_its_credits_gets_them_once_and_is_reported(hotel: Hotel) -> None:
    """Paid, and its lot was lost behind the service's back: the first run says so and grants it."""
    purchase = bought(hotel, 500)
    forget_grants(hotel)

    runs = at_once([lambda: run(hotel) for _ in range(3)])

    assert 1 in {each.exit_code for each in runs}
    assert (available(hotel), grants(hotel)) == (500_000_000, [[f"purchase:{purchase}", 500]])
    assert told(hotel).count("credit_purchase.grant_repaired") == 1
    assert run(hotel).exit_code == 0


def test_says_nothing_of_purchases_that_agree(hotel: Hotel) -> None:
    """Paid, declined, without an answer, and waiting for the bank."""
    purchases_of_every_state(hotel)
    before = state(hotel)

    assert run(hotel).exit_code == 0

    assert state(hotel) == before


def test_a_grant_that_nobody_paid_is_reported_and_left_alone(
    hotel: Hotel, capsys: pytest.CaptureFixture[str]
) -> None:
    """By hand somebody has granted for a payment of ours that is not there."""
    granted_by_hand(hotel, 500, key=f"purchase:{new_id('pin')}")
    before = state(hotel)

    assert run(hotel).exit_code == 1

    assert "credits_were_granted_for_a_payment_that_is_not_there" in capsys.readouterr().out
    assert state(hotel) == before
