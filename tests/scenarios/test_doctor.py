"""`billing doctor` at three in the morning: which rule is broken, where, and what else is well."""

import json

import pytest
from typer.testing import CliRunner, Result

from common.cli.main import billing
from tests.hotel import Hotel
from tests.proofs import state

pytestmark = pytest.mark.req("CLI-1", "REL-5")


def doctor(hotel: Hotel, *arguments: str, user: str = "postgres") -> Result:
    dsn = hotel.house.server.dsn(user, "billing")
    asked = ["doctor", "--dsn", dsn, "--tenant", str(hotel.tenant_id), *arguments]
    return CliRunner().invoke(billing, asked)


def books(result: Result) -> list[str]:
    """The lines about books, without the marks in front."""
    lines = [line.split(maxsplit=1) for line in result.output.splitlines() if " books " in line]
    assert {words[0] for words in lines} <= {"ok", "NOT"}
    return [words[1].removeprefix("WELL").removeprefix("  books").strip() for words in lines]


def test_says_in_a_line_that_all_invariants_hold(hotel: Hotel) -> None:
    hotel.closed_folio()

    (line,) = books(doctor(hotel))

    assert line.startswith(f"books         {hotel.tenant_id}: all ")
    assert line.endswith(" invariants hold")


def test_names_each_broken_rule_with_its_sentence_and_the_first_that_break_it(
    hotel: Hotel,
) -> None:
    """Five folios owe a cent more than their lines; three are shown, and nothing is repaired."""
    folios = sorted(hotel.open_folio() for _ in range(5))
    hotel.rows("UPDATE {s}.folios SET balance_micro = 10000")
    before = state(hotel)

    result = doctor(hotel)

    assert result.exit_code == 1
    heading, *rules = books(result)
    assert f"{hotel.tenant_id}: 4 of " in heading
    named = {rule.split(":")[0].split()[-1]: rule for rule in rules}
    assert set(named) == {
        "balance_is_the_sum_of_the_lines",
        "balance_is_what_the_ledger_says",
        "what_is_paid_ahead_is_a_liability",
        "a_folio_is_what_its_trail_digested",
    }
    shown = "; ".join(f"{folio} (balance 10000, lines 0)" for folio in folios[:3])
    assert (
        f"A folio's balance is the sum of its lines. {shown}; and 2 more"
        in named["balance_is_the_sum_of_the_lines"]
    )
    assert state(hotel) == before


def test_answers_a_program_in_the_same_form(hotel: Hotel) -> None:
    hotel.open_folio()
    hotel.rows("DELETE FROM {s}.audit_entries")

    answer = json.loads(doctor(hotel, "--json").output)

    findings = [each for each in answer["findings"] if each["check"] == "books"]
    assert answer["well"] is False
    assert all(set(each) == {"check", "well", "detail"} for each in findings)
    assert any("an_aggregate_stands_where_its_trail_ended: " in each["detail"] for each in findings)


def test_says_what_a_login_may_not_see(hotel: Hotel) -> None:
    """The jobs' login is bound by row security: rows of another tenant are hidden from it."""
    lines = books(doctor(hotel, user="billing_job"))

    assert [line for line in lines if line.endswith("hold, 1 not looked at: no superuser")]


def test_a_login_that_may_not_look_is_told_so(hotel: Hotel) -> None:
    """The functions' login may not become the drainer."""
    result = doctor(hotel, user="billing_function")

    assert result.exit_code == 1
    assert "refused: 42501" in result.output
