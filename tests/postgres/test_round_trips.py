"""How often a command goes to the database and back (PERF-1): counted, not timed.

Three times for a charge: begin, take, write and commit. At most four for anything that moves money.
"""

from datetime import date
from functools import partial

import pytest

from tests.crediting import credits, lines_of, voids
from tests.depositing import booked, cancellation, that_forfeits
from tests.depositing import wanted as deposit_wanted
from tests.hotel import Hotel, House, charge, usd
from tests.moving import wanted
from tests.owing import close, company, invoiced, pay, settle, write_off
from tests.postgres.instances import at
from tests.postgres.proxy import Count, Proxy
from tests.prepaying import (
    bought,
    capture,
    claw_back,
    deduct,
    grant,
    granted,
    held,
    hold,
    transfer,
)
from tests.prepaying import wanted as prepaid
from tests.reconciling import old_mismatch
from tests.reconciling import run as reconcile
from tests.refunding import card_payment, refund
from tests.reopening import closes
from tests.reopening import voids as take_back
from tests.reopening import wanted as reopening
from tests.till import Till

pytestmark = pytest.mark.req("PERF-1")

FIRST_AND_WARM = pytest.mark.parametrize("times_before", [0, 1], ids=["first use", "warm"])


def counted(proxy: Proxy, hotel: Hotel, path: str, body: object = None) -> Count:
    with proxy.counting() as count:
        answer = hotel.post(path, body)
    assert answer.status_code in (200, 201), answer.text
    return count


@FIRST_AND_WARM
def test_a_charge_takes_three_round_trips(
    hotel: Hotel, behind: House, proxy: Proxy, times_before: int
) -> None:
    """The first one asks for a piece of the rate limit and prepares every statement as well."""
    folio = hotel.open_folio()
    hotel = at(behind, hotel)
    for _ in range(times_before):
        hotel.post(f"/folios/{folio}/charges", charge())

    count = counted(proxy, hotel, f"/folios/{folio}/charges", charge())

    assert count.round_trips == 3


def test_renewing_the_lease_of_a_rate_limit_takes_no_round_trip_more(
    hotel: Hotel, behind: House, proxy: Proxy
) -> None:
    """A piece is a twentieth of 3,000: the first charge takes 150, the 151st takes the next 150."""
    folio = hotel.open_folio()
    hotel = at(behind, hotel)
    for _ in range(150):
        hotel.get(f"/folios/{folio}")
    limiter = behind.wiring.http_edge.limiter
    assert limiter is not None

    with proxy.counting() as renewing:
        hotel.get(f"/folios/{folio}")
    with proxy.counting() as following:
        hotel.get(f"/folios/{folio}")

    def asks(count: Count) -> bool:
        return any("rate_counters" in sql for asked in count.asked for sql in asked.statements)

    assert (asks(renewing), renewing.round_trips) == (True, 3)
    assert (asks(following), following.round_trips) == (False, 3)


@FIRST_AND_WARM
def test_a_batch_of_500_charges_takes_three_round_trips(
    hotel: Hotel, behind: House, proxy: Proxy, times_before: int
) -> None:
    folio = hotel.open_folio()
    hotel = at(behind, hotel)
    path = f"/folios/{folio}/charges/batch"
    for _ in range(times_before):
        hotel.post(path, {"charges": [charge()]})

    count = counted(proxy, hotel, path, {"charges": [charge()] * 500})

    assert count.round_trips == 3


@FIRST_AND_WARM
@pytest.mark.parametrize("command", ["void", "adjust", "transfer", "deposit", "pay", "close"])
def test_every_command_that_moves_money_takes_at_most_four(
    hotel: Hotel, behind: House, proxy: Proxy, command: str, times_before: int
) -> None:
    through = at(behind, hotel)
    for here in [*[through] * times_before, hotel]:
        folio = hotel.open_folio()
        first, second = (
            hotel.post(f"/folios/{folio}/charges", charge()).json["lines"][0]["chargeId"]
            for _ in range(2)
        )
        commands: dict[str, tuple[str, object]] = {
            "void": (f"charges/{first}/void", {"reason": "Wrong room"}),
            "adjust": (
                "adjustments",
                {
                    "chargeId": second,
                    "amount": usd(-500),
                    "description": {"en": "Noise"},
                    "reason": "Noise at night",
                },
            ),
            "transfer": ("transfers", wanted(hotel.open_folio(), first, second)),
            "deposit": ("deposits/transfers", deposit_wanted(hotel.open_folio(), 100)),
            "pay": ("payments", {"method": "voucher", "amount": usd(22_000)}),
            "close": ("close", None),
        }
        if command == "deposit":
            hotel.paid(folio, usd(23_000), allowCredit=True)
        if command == "close":
            hotel.post(f"/folios/{folio}/payments", commands["pay"][1])
        path, body = commands[command]
        if here is through:
            counted(proxy, through, f"/folios/{folio}/{path}", body)

    count = counted(proxy, through, f"/folios/{folio}/{path}", body)

    assert count.round_trips <= 4
    assert all(asked.statements for asked in count.asked)


def test_a_read_takes_three_round_trips_and_writes_nothing(
    hotel: Hotel, behind: House, proxy: Proxy
) -> None:
    folio = hotel.open_folio()
    hotel = at(behind, hotel)

    with proxy.counting() as count:
        assert hotel.get(f"/folios/{folio}").status_code == 200

    assert count.round_trips == 3
    assert count.asked[-1].statements == ("ROLLBACK",)


def test_a_statement_and_a_cash_report_take_no_more(
    hotel: Hotel, behind: House, proxy: Proxy
) -> None:
    """However many lines, drawers and currencies there are."""
    till = Till.opened(hotel, usd(10_000))
    folio = hotel.open_folio()
    hotel.post(f"/folios/{folio}/charges/batch", {"charges": [charge()] * 50})
    asked = {"propertyId": str(hotel.property_id), "businessDate": till.shown()["businessDate"]}
    hotel = at(behind, hotel)

    with proxy.counting() as stating:
        assert hotel.get(f"/folios/{folio}/statement").status_code == 200
    with proxy.counting() as reporting:
        assert hotel.get("/reports/cash", **asked).status_code == 200

    assert (stating.round_trips, reporting.round_trips) == (3, 3)


@pytest.mark.req("INV-2")
@FIRST_AND_WARM
def test_a_credit_note_takes_at_most_four(
    hotel: Hotel, behind: House, proxy: Proxy, times_before: int
) -> None:
    """Begin, the invoice with its credits, the series, and what is written with the commit."""
    through = at(behind, hotel)
    for _ in range(times_before):
        _, invoice = hotel.closed_folio()
        assert voids(hotel, invoice, at=through).status_code == 201
    _, invoice = hotel.closed_folio()
    line = lines_of(hotel, invoice)[0]["lineId"]

    with proxy.counting() as crediting:
        assert credits(hotel, invoice, (line, usd(100)), at=through).status_code == 201
    with proxy.counting() as voiding:
        assert voids(hotel, invoice, at=through).status_code == 201

    assert (crediting.round_trips, voiding.round_trips) == (4, 4)


@FIRST_AND_WARM
def test_a_sending_takes_three_and_a_short_export_six(
    hotel: Hotel, behind: House, proxy: Proxy, times_before: int
) -> None:
    """An export asks what there is, then for fifty numbers: it begins, reads and ends each time."""
    _, invoice = hotel.closed_folio()
    assert hotel.render(invoice).status_code == 204
    through, asked = at(behind, hotel), {"recipients": ["guest@example.com"]}
    period = {"first": "2020-01-01", "last": "2099-12-31", "format": "csv"}
    for _ in range(times_before):
        through.post(f"/invoices/{invoice}/send", asked)
        through.get("/invoices/export", **period)
    with proxy.counting() as sending:
        assert through.post(f"/invoices/{invoice}/send", asked).status_code == 202
    with proxy.counting() as exporting:
        assert through.get("/invoices/export", **period).data.endswith(b"\r\n")

    assert (sending.round_trips, exporting.round_trips) == (3, 6)


@pytest.mark.req("REF-1")
@FIRST_AND_WARM
def test_a_refund_by_hand_takes_three_and_one_of_a_card_ten(
    hotel: Hotel, behind: House, proxy: Proxy, times_before: int
) -> None:
    """Begin, the folio with its payment, and what is written with the commit. A card's is looked
    up after that, asked of the processor behind the breaker, which is read before that, and settled
    in a transaction like the first, which asks what else its payment bought."""
    folio, through = hotel.open_folio(), at(behind, hotel)
    counts = []
    for payment in (
        hotel.paid(folio, usd(5_000), allowCredit=True),
        card_payment(hotel, folio, usd(5_000)),
    ):
        for _ in range(times_before):
            assert refund(through, folio, payment, usd(10)).status_code == 201
        with proxy.counting() as count:
            assert refund(through, folio, payment, usd(10)).status_code == 201
        counts.append(count.round_trips)

    assert counts == [3, 10]


@pytest.mark.req("FOL-11")
@FIRST_AND_WARM
def test_a_cancellation_takes_four_however_many_folios_and_payments_there_are(
    hotel: Hotel, behind: House, proxy: Proxy, times_before: int
) -> None:
    """Begin, the reservation, its folios with all that was paid on them, and what is written with
    the commit."""
    that_forfeits(hotel)
    through, taken = at(behind, hotel), []
    for _ in range(times_before + 1):
        name, folio = booked(hotel, arrival="2020-03-01", departure="2020-03-04")
        company = hotel.open_folio(reservationId=name, window="company")
        for place in (folio, folio, company):
            card_payment(hotel, place, usd(5_000))
        with proxy.counting() as count:
            told = through.deliver("on_reservation_canceled", cancellation(hotel, name))
        assert told.status_code == 204
        taken.append(count.round_trips)

    assert taken[-1] == 4
    assert len(hotel.events("charge.posted")) == 2 * (times_before + 1)


@pytest.mark.req("FOL-10")
@FIRST_AND_WARM
def test_what_companies_owe_takes_at_most_four(
    hotel: Hotel, behind: House, proxy: Proxy, times_before: int
) -> None:
    """Begin, the folio or nothing, the account with its items, what is written with the commit. A
    folio closes with its accounts read along, and then its series."""
    account, through = company(hotel), at(behind, hotel)
    for _ in range(times_before):
        invoiced(through, account, 100)
        pay(through, account, usd(50))
        write_off(through, account, invoiced(through, account, 100)[1], usd(1))
    folio = hotel.open_folio()
    hotel.charged(folio, cents=1_000)
    with proxy.counting() as settling:
        assert settle(through, folio, account, usd(1_100)).status_code == 201
    with proxy.counting() as closing:
        invoice = close(through, folio)
    with proxy.counting() as paying:
        assert pay(through, account, usd(500)).status_code == 201
    with proxy.counting() as writing_off:
        assert write_off(through, account, invoice, usd(1)).status_code == 201
    with proxy.counting() as ageing:
        assert through.get(f"/company-accounts/{account}/ageing").status_code == 200

    counts = (settling, closing, paying, writing_off, ageing)
    assert [count.round_trips for count in counts] == [4, 4, 3, 3, 4]


@pytest.mark.req("CASH-9")
@FIRST_AND_WARM
def test_a_date_is_reconciled_in_seven_and_resolved_in_three(
    hotel: Hotel, behind: House, proxy: Proxy, times_before: int
) -> None:
    """Begin, what to ask for, and an end; the breaker before the processor is asked; then begin,
    the row with all that the books say, and what is written with the commit. Five more ask whether
    the database is restored, and look for what is due, before it and after it."""
    through = at(behind, hotel)
    for _ in range(times_before):
        reconcile(through, as_of=date(2026, 3, 2))
    id = old_mismatch(hotel)
    with proxy.counting() as reconciling:
        reconcile(through, as_of=date(2026, 3, 1))
    with proxy.counting() as resolving:
        answer = through.post(f"/cash-reconciliations/{id}/resolve", {"reason": "A trial"})

    assert answer.status_code == 200, answer.text
    assert (reconciling.round_trips - 5, resolving.round_trips) == (7, 3)


@pytest.mark.req("PAY-2", "CASH-2")
def test_opening_again_and_crediting_what_was_taken_back_take_at_most_four(
    hotel: Hotel, behind: House, proxy: Proxy
) -> None:
    folio = hotel.open_folio()
    night = hotel.charged(folio)
    payment = hotel.paid(folio, usd(11_000))
    closes(hotel, folio)
    through = at(behind, hotel)

    opening = counted(proxy, through, f"/folios/{folio}/reopen", reopening(hotel, folio, "clerk"))
    assert take_back(hotel, folio, night).status_code == 201
    assert refund(hotel, folio, payment, usd(11_000)).status_code == 201
    closing = counted(proxy, through, f"/folios/{folio}/close")

    assert opening.round_trips <= 4
    assert closing.round_trips <= 4
    assert hotel.rows("SELECT count(*) FROM {s}.credit_notes") == [[1]]


@FIRST_AND_WARM
@pytest.mark.parametrize("named", [False, True], ids=["own session", "named session"])
def test_a_cash_payment_takes_four_round_trips(
    hotel: Hotel, behind: House, proxy: Proxy, named: bool, times_before: int
) -> None:
    """Begin, the folio, the session, and everything that is written with the commit."""
    till = Till.opened(hotel, usd(10_000), by="clerk")
    folio = hotel.open_folio()
    hotel = at(behind, hotel)
    body = {"method": "cash", "amount": usd(100), "allowCredit": True}
    body |= {"cashSessionId": till.session} if named else {}
    for _ in range(times_before):
        hotel.post(f"/folios/{folio}/payments", body)

    count = counted(proxy, hotel, f"/folios/{folio}/payments", body)

    assert count.round_trips == 4


@pytest.mark.req("CASH-1", "CASH-2")
def test_every_command_at_a_drawer_takes_three_round_trips(
    hotel: Hotel, behind: House, proxy: Proxy
) -> None:
    """Begin, take, write and commit: also the count, which reads the ledger behind its lock."""
    till = Till.opened(at(behind, hotel), usd(10_000))
    steps = [
        partial(till.move, "drop", usd(100)),
        partial(till.initiate, usd(9_900)),
        partial(till.send_back),
        partial(till.initiate, usd(9_800), number=2),
        partial(till.close, usd(9_800), number=2),
        partial(till.acknowledge),
    ]

    for step in steps:
        with proxy.counting() as count:
            answer = step()
        assert answer.status_code in (200, 201), answer.text
        assert count.round_trips == 3, step


@pytest.mark.req("CRD-1")
@FIRST_AND_WARM
def test_credits_move_in_three_round_trips(
    hotel: Hotel, behind: House, proxy: Proxy, times_before: int
) -> None:
    """Begin, the accounts with all that they hold, and what is written with the commit."""
    through, counts = at(behind, hotel), {}
    granted(hotel, 100)
    key = bought(hotel, 100)
    calls = {
        "grant": lambda: grant(through, prepaid(1)),
        "deduct": lambda: deduct(through, 1),
        "hold": lambda: hold(through, 1),
        "capture": lambda: capture(through, holds.pop(), 1),
        "transfer": lambda: transfer(through, 1, "spa"),
        "claw back": lambda: claw_back(through, key, 1),
    }
    holds = [held(hotel, 1) for _ in range(2)]
    for name, call in calls.items():
        for _ in range(times_before):
            assert call().status_code in (200, 201)
        with proxy.counting() as count:
            assert call().status_code in (200, 201)
        counts[name] = count.round_trips

    assert counts == dict.fromkeys(calls, 3)
