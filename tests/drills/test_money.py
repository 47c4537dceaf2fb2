"""Drills about money: books, tills, the processor, taxes and what rounding leaves."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from common.local.functions import job_declarations
from common.runtime.job import Orders
from tests.drills.drill import Drill, DrillOf, summary
from tests.hotel import Hotel, charge, usd, vat
from tests.reconciling import captured, paid_by_card
from tests.refunding import refund, standing

pytestmark = pytest.mark.req("OPS-3")
MINUTES, HOURS = 60, 3600


def processor_answers(drill: Drill, *, answers: bool) -> None:
    """The processor's people pull the plug, or put it back."""
    told = drill.house.client.post("/dev/processor", json={"answers": answers})
    assert told.status_code == 200


def refund_that_waits(drill: Drill) -> str:
    """110.00 were paid by card; 10.00 of them are promised while the processor is down."""
    folio = drill.hotel.open_folio()
    drill.hotel.charged(folio)
    payment, _ = paid_by_card(drill.hotel, folio, 11_000)
    processor_answers(drill, answers=False)
    promised = refund(drill.hotel, folio, payment, usd(1_000))
    assert promised.status_code == 201, promised.text
    refund_id: str = promised.json["refund"]["refundId"]
    assert standing(drill.hotel) == [[refund_id, "pending"]]
    drill.waits(30 * MINUTES)
    return refund_id


def test_the_processor_does_not_answer(drill_of: DrillOf) -> None:
    """10.00 go back to a card while it is down: promised at once, made once it is back."""
    drill = drill_of("processor_outage")
    refund_id = refund_that_waits(drill)

    drill.fires("retry_refunds")
    assert standing(drill.hotel) == [[refund_id, "pending"]]
    drill.fires("reconcile_processor", exits=1)

    assert drill.goes_off("processor_silent")
    drill.waits(30 * MINUTES)
    typed = drill.first_five_minutes()
    assert summary(typed["billing job run retry_refunds --dry-run"])["due"] == 1
    processor_answers(drill, answers=True)
    drill.run("billing job run retry_refunds")
    drill.run("billing job run reconcile_nightly")
    assert standing(drill.hotel) == [[refund_id, "succeeded"]]
    drill.is_over()


def test_a_job_leaves_something_undone(drill_of: DrillOf) -> None:
    """It ends with 1 and says so; once what was in the way is gone, it is run again by hand."""
    drill = drill_of("job_failed")
    processor_answers(drill, answers=False)

    left = drill.fires("reconcile_processor", exits=1)

    assert (left["severity"], left["failed"]) == ("ERROR", left["due"])
    drill.first_five_minutes()
    processor_answers(drill, answers=True)
    drill.waits(MINUTES)
    done = summary(drill.run("billing job run NAME", put={"NAME": "reconcile_processor"}))
    assert (done["failed"], done["left"]) == (0, False)
    drill.is_over()


def test_cards_and_books_of_a_day_differ(drill_of: DrillOf) -> None:
    """110.00 were charged at the terminal and never recorded; the desk records them."""
    drill = drill_of("cash_reconciliation_failed")
    hotel, payment = drill.hotel, captured(drill.hotel, 11_000)
    folio = hotel.open_folio()
    hotel.charged(folio)
    drill.waits_for_the_next_day()

    drill.fires("reconcile_nightly")

    assert drill.goes_off("cash_reconciliation_failed")
    drill.page.says("GET /api/v1/cash-reconciliations?status=mismatch")
    (found,) = hotel.get("/cash-reconciliations", status="mismatch").json["items"]
    drill.first_five_minutes()
    hotel.paid(folio, usd(11_000), method="card", paymentId=payment)
    command = "billing job run reconcile_nightly --as-of DATE"
    again = summary(drill.run(command, put={"DATE": found["businessDate"]}))
    assert again["failed"] == 0
    assert hotel.get("/cash-reconciliations", status="mismatch").json["items"] == []
    drill.is_over()


def test_the_books_and_the_processor_differ(drill_of: DrillOf) -> None:
    """A webhook never came: 50.00 are there and not here. Recorded, they are cleared."""
    drill = drill_of("processor_reconciliation_failed")
    hotel, payment = drill.hotel, captured(drill.hotel, 5_000)
    drill.waits(2 * HOURS)

    drill.fires("reconcile_processor")

    assert drill.goes_off("processor_reconciliation_failed")
    (found,) = open_differences(drill.hotel)
    drill.first_five_minutes()
    drill.page.says("POST /api/v1/processor-differences/{id}/owner")
    drill.page.says("What agrees at the next run is cleared by itself.")
    paid = {"method": "card", "paymentId": payment, "allowCredit": True}
    hotel.paid(hotel.open_folio(), usd(5_000), **paid)
    drill.fires("reconcile_processor")
    assert open_differences(drill.hotel) == [], found
    drill.is_over()


def open_differences(hotel: Hotel) -> list[dict[str, Any]]:
    """What differs, as finance sees it."""
    found: list[dict[str, Any]] = hotel.get("/processor-differences", status="open").json["items"]
    return found


def test_books_do_not_balance(drill_of: DrillOf) -> None:
    """Somebody wrote 110.01 over a balance of 110.00, behind the service."""
    drill = drill_of("books_do_not_balance")
    folio = drill.hotel.open_folio()
    drill.hotel.charged(folio)
    written = "UPDATE {s}.folios SET balance_micro = :micro WHERE id = :id"
    drill.hotel.rows(written, micro=110_010_000, id=folio)

    drill.fires("check_books", exits=1)

    assert drill.goes_off("books_do_not_balance")
    typed = drill.first_five_minutes(exits={"billing doctor --json": 1})
    told = json.loads(typed["billing doctor --json"].stdout)["findings"]
    (rule,) = [each for each in told if "balance_is_the_sum_of_the_lines" in each["detail"]]
    assert f"{folio} (balance 110010000, lines 110000000)" in rule["detail"]
    drill.run("billing doctor", exits=1)
    drill.hotel.rows(written, micro=110_000_000, id=folio)
    checked = summary(drill.run("billing job run check_books"))
    assert checked["failed"] == 0
    drill.is_over()


def too_much(drill: Drill) -> None:
    """100.09 and 10.01 are 110.10; 100.00 EUR at 1.10 are 110.00: ten cents are let go."""
    hotel = drill.hotel
    hotel.write_settings(residualMinorUnitsPerForeignPayment=10)
    folio = hotel.open_folio()
    hotel.charged(folio, cents=10_009)
    hotel.paid(folio, {"amountMicro": 100_000_000, "currency": "EUR"})
    assert hotel.post(f"/folios/{folio}/close").status_code == 200


@contextmanager
def measuring(drill: Drill) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Drains the outbox in a process that measures, and says what that has come to."""
    login = {"main": drill.house.server.dsn("billing_job", "billing")}
    house = drill.house.beside(telemetry="memory", databases=login)
    drainer = next(each for each in job_declarations() if each.name == "drain_outbox")

    def drained() -> list[dict[str, Any]]:
        house.wiring.job_shell.run(
            drainer, Orders(once=True), stop=threading.Event(), tell=lambda _: None
        )
        assert house.wiring.telemetry is not None
        assert house.wiring.telemetry.flush()
        return house.wiring.memory.figures()

    yield drained
    house.close()


def test_rounding_leaves_a_residual(drill_of: DrillOf) -> None:
    """76.36 and 7.64 are 84.00; 76.35 EUR at 1.10 are 83.985, so 83.99: a cent is left. Ten cents
    on each of four folios are more than conversion leaves: somebody is told."""
    drill = drill_of("rounding_residual_spike")
    hotel = drill.hotel
    folio = hotel.open_folio()
    hotel.charged(folio, cents=7_636)
    hotel.paid(folio, {"amountMicro": 76_350_000, "currency": "EUR"})

    closed = hotel.post(f"/folios/{folio}/close")

    assert closed.json["settlement"]["residualMicro"] == 10_000, closed.text
    drill.page.says("account `rounding` of the ledger")
    with measuring(drill) as drained:
        assert not drill.goes_off("residuals_grow", drained())
        too_much(drill)
        for _ in range(3):
            assert not drill.goes_off("residuals_grow", drained())
            too_much(drill)
        assert drill.goes_off("residuals_grow", drained())
    drill.page.says("a folio keeps the one it opened with")
    booked = hotel.rows(
        "SELECT amount_micro FROM {s}.ledger_entries"
        " WHERE 'rounding' IN (debit_account, credit_account) ORDER BY amount_micro"
    )
    assert booked == [[10_000], *4 * [[100_000]]]
    drill.first_five_minutes()
    drill.is_over()


def test_a_charge_finds_no_tax_rule(drill_of: DrillOf) -> None:
    """The rules of a spa are sent, and refused; put right, they tax what the desk charges."""
    drill = drill_of("tax_rule_missing")
    hotel, consumer = drill.hotel, "on_tenant_tax_rules_updated"
    hotel.write_settings(taxRules=[vat(chargeKinds=["room"])])
    folio = hotel.open_folio()
    refused = hotel.post(f"/folios/{folio}/charges", charge("spa"))
    assert refused.status_code == 422, refused.text
    hotel.deliver(consumer, {"taxRules": [vat(chargeKinds=["room", "spa"], perNight=usd(100))]})
    assert drill.goes_off("tax_rule_missing")

    typed = drill.first_five_minutes()

    assert "TAX_RULE_INVALID" in typed[f"billing dlq list --consumer {consumer}"].stdout
    hotel.deliver(consumer, {"taxRules": [vat(chargeKinds=["room", "spa"])]})
    listed = drill.type("dlq", "list", "--consumer", consumer, "--json").stdout
    (letter,) = json.loads(listed)["letters"]
    drill.run("billing dlq drop", letter["id"], "--reason", "sent again, put right")
    hotel.charged(folio, "spa")
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(11_000)
    drill.is_over()
