"""A hotel's business day to reconcile, and what may be wrong with it.

    day = BusyDay.lived(hotel, clock)
    plant(day, "folio_lines")
    run(hotel)

The processor's records are those of the sandbox: what is paid by card is captured there first.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from common.domain.identifiers import PropertyId, RefundId
from common.domain.money import Currency, Money
from common.domain.reconciliation import CardRecords
from common.local.files import write_once
from common.ports.answers import Unknown
from common.ports.gateway import Wanted
from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from common.sandbox.gateway import SandboxGateway
from jobs.reconcile_nightly import reconcile_nightly
from tests.hotel import Hotel, new_id, usd
from tests.proofs import told
from tests.refunding import refund
from tests.till import Till

NOON: Final = "2026-03-01T08:00:00Z"
"""In Kabul it is half past twelve on 1 March; that date is over at 22:30 UTC."""
OVER: Final = "2026-03-01T23:30:00Z"
DATE: Final = date(2026, 3, 1)
TEN: Final = Money(10_000_000, Currency("USD"))
MATCHED: Final[tuple[str, set[tuple[str, str]]]] = ("matched", set())
REPORT: Final = "billing.report.read"
ADMIN: Final = "billing.admin"
Clock = Callable[[str], None]


def sandbox(hotel: Hotel) -> SandboxGateway:
    """The processor of the laptop."""
    return hotel.house.wiring.sandbox


def captured(hotel: Hotel, cents: int, payment: str = "", at: Any = None) -> str:
    """A guest's card is charged at the terminal; the processor's id of it."""
    payment = payment or f"psp_{uuid4().hex}"
    amount = Money(cents * 10_000, Currency("USD"))
    sandbox(hotel).capture(hotel.tenant_id, PropertyId(at or hotel.property_id), payment, amount)
    return payment


def paid_by_card(
    hotel: Hotel, folio: str, cents: int, *, capture: int | None = 0, payment: str = ""
) -> tuple[str, str]:
    """A card payment: our id, and the processor's. `capture` cents lie there, or none at all."""
    payment = payment or f"psp_{uuid4().hex}"
    if capture is not None:
        captured(hotel, capture or cents, payment)
    paid = {"method": "card", "paymentId": payment, "allowCredit": True}
    return hotel.paid(folio, usd(cents), **paid), payment


@dataclass
class BusyDay:
    """What a day left: folios, tills, payments by card, refunds of one of them."""

    hotel: Hotel
    folio: str = ""
    till: Till = field(init=False)
    running: Till = field(init=False)
    payments: list[tuple[str, str]] = field(default_factory=list)
    refunds: list[str] = field(default_factory=list)

    @classmethod
    def lived(cls, hotel: Hotel, clock: Clock, at: str = NOON) -> "BusyDay":
        """Three card payments and two refunds, a till closed 1.00 short, another one that runs."""
        clock(at)
        day = cls(hotel, hotel.open_folio())
        hotel.charged(day.folio, cents=20_000)
        day.payments = [paid_by_card(hotel, day.folio, cents) for cents in (11_000, 7_000, 9_000)]
        for cents in (500, 700):
            answer = refund(hotel, day.folio, day.payments[1][0], usd(cents))
            assert answer.status_code == 201, answer.text
            day.refunds.append(answer.json["refund"]["refundId"])
        day.till = Till.opened(hotel, usd(10_000))
        day.till.paid(2_000)
        assert day.till.move("drop", usd(1_000)).status_code == 201
        assert day.till.initiate(usd(11_100)).status_code == 200
        assert day.till.close(usd(11_100)).status_code == 200
        day.running = Till.opened(hotel, usd(20_000), by="amina")
        return day


def untold(hotel: Hotel, days: int = 2) -> str:
    """The processor's id of what was never told so many days ago: no other hotel has it, too."""
    return f"psp_never_told_{days}_{hotel.tenant_id.hex}"


def never_told(hotel: Hotel, days: int = 2, payment: str = "") -> date:
    """A payment was captured so many days ago, and no event of it ever came; that date."""
    wiring = hotel.house.wiring
    noon = (wiring.clock.now() - timedelta(days=days)).replace(hour=8, minute=0)
    folder = Path(wiring.settings.local_folder) / "processor"
    SandboxGateway(folder, write_once, lambda: noon).capture(
        hotel.tenant_id, PropertyId(hotel.property_id), payment or untold(hotel, days), TEN
    )
    return noon.date()


def forget_captures(hotel: Hotel) -> None:
    """Let the processor never have captured anything for this hotel."""
    folder = Path(hotel.house.wiring.settings.local_folder) / "processor" / "captures"
    for file in folder.glob("*.json"):
        if json.loads(file.read_bytes())["tenant"] == str(hotel.tenant_id):
            file.unlink()


def old_mismatch(hotel: Hotel) -> str:
    """A reconciliation with one difference, of a date before all others; its id."""
    ((others,),) = hotel.rows("SELECT count(*) FROM {s}.reconciliations")
    on = never_told(hotel, days=2 + others)
    run(hotel, as_of=on)
    assert found(hotel, on)[0] == "mismatch"
    id: str = hotel.rows("SELECT id FROM {s}.reconciliations WHERE business_date = :d", d=on)[0][0]
    return id


def run(hotel: Hotel, *, as_of: date | None = None, dry_run: bool = False) -> Progress:
    """Run the job for this hotel."""
    return hotel.house.wiring.job_shell.run(
        declaration_of(reconcile_nightly),  # type: ignore[arg-type] # a job's declaration
        Orders(tenants=(hotel.tenant_id,), as_of=as_of, dry_run=dry_run),
        stop=threading.Event(),
        tell=lambda _: None,
    )


def found(hotel: Hotel, on: date = DATE) -> tuple[str, set[tuple[str, str]]]:
    """The status of a date, and what differs: kind, and what it is about."""
    rows = hotel.rows(
        "SELECT status, differences FROM {s}.reconciliations"
        " WHERE property_id = :house AND business_date = :day",
        house=hotel.property_id,
        day=on,
    )
    assert len(rows) == 1, rows
    ((status, differences),) = rows
    return status, {(each["kind"], each["about"]) for each in differences}


def about(hotel: Hotel) -> list[str]:
    """The facts about reconciliations, in their order."""
    return [each for each in told(hotel) if each.startswith("reconciliation.")]


def amounts(hotel: Hotel) -> dict[tuple[str, str], tuple[int | None, int | None]]:
    """As it should be and as it is, in cents, by kind and currency."""
    ((differences,),) = hotel.rows("SELECT differences FROM {s}.reconciliations")
    return {
        (each["kind"], each["currency"]): (
            _cents(each["expectedMicro"]),
            _cents(each["foundMicro"]),
        )
        for each in differences
    }


def _cents(micro: int | None) -> int | None:
    return None if micro is None else micro // 10_000


@dataclass
class Processor:
    """A processor that says what it is told to say, and notes what it is asked."""

    says: CardRecords | Unknown = field(default_factory=Unknown)
    meanwhile: Callable[[], Any] = lambda: None
    asked: list[Wanted] = field(default_factory=list)

    def records(self, wanted: Wanted) -> CardRecords | Unknown:
        self.asked.append(wanted)
        self.meanwhile()
        return self.says


# What may be wrong: each changes one thing behind the service's back, and answers what is found.

Found = set[tuple[str, str]]


def _session_expected(day: BusyDay) -> Found:
    """The closed session says that 1.00 more was expected; so its variance is another one, too."""
    _add_to_json(day, "expected", 1_000_000)
    return {("session_expected", day.till.session), ("session_variance", day.till.session)}


def _session_counted(day: BusyDay) -> Found:
    """The closed session says that 2.00 more were counted."""
    _add_to_json(day, "count", 2_000_000)
    return {("session_counted", day.till.session), ("session_variance", day.till.session)}


def _session_variance(day: BusyDay) -> Found:
    """What was booked as short is 5.00 more, in the movement and in the ledger."""
    for table, column in (("cash_movements", "id"), ("ledger_entries", "source")):
        day.hotel.rows(
            f"UPDATE {{s}}.{table} SET amount_micro = amount_micro + 5000000 WHERE {column} ="
            " (SELECT id FROM {s}.cash_movements WHERE kind = 'short' AND session_id = :id)",
            id=day.till.session,
        )
    return {("session_variance", day.till.session)}


def _payment_amount(day: BusyDay) -> Found:
    """The processor captured 1.00 more than was recorded."""
    file = capture_file(day, 0)
    document = json.loads(file.read_bytes())
    file.write_text(json.dumps({**document, "amountMicro": document["amountMicro"] + 1_000_000}))
    return {("payment_amount", day.payments[0][1])}


def _payment_not_captured(day: BusyDay) -> Found:
    """A payment was recorded that the processor knows nothing of."""
    capture_file(day, 2).unlink()
    return {("payment_not_captured", day.payments[2][1])}


def _payment_not_recorded(day: BusyDay) -> Found:
    """A payment was captured in the afternoon, and no event of it ever came."""
    payment = captured(day.hotel, 4_200)
    _back_date(next(_captures(day, payment)))
    return {("payment_not_recorded", payment)}


def _refund_amount(day: BusyDay) -> Found:
    """The processor gave 1.00 more back than was promised."""
    file = _refund_file(day, day.refunds[0])
    document = json.loads(file.read_bytes())
    file.write_text(json.dumps({**document, "amountMicro": document["amountMicro"] + 1_000_000}))
    return {("refund_amount", day.refunds[0])}


def _refund_not_made(day: BusyDay) -> Found:
    """A refund is settled here, and the processor knows nothing of it."""
    _refund_file(day, day.refunds[1]).unlink()
    return {("refund_not_made", day.refunds[1])}


def _refund_not_recorded(day: BusyDay) -> Found:
    """Somebody gave money back at the processor's own desk."""
    made = RefundId(new_id("rfd"))
    sandbox(day.hotel).refund(made, day.payments[1][1], Money(1_000_000, Currency("USD")))
    _back_date(_refund_file(day, made))
    return {("refund_not_recorded", made)}


def _folio_lines(day: BusyDay) -> Found:
    """A line is 1.00 more than what the balance was made of."""
    day.hotel.rows(
        "UPDATE {s}.folio_lines SET amount_micro = amount_micro + 1000000"
        " WHERE folio_id = :id AND sequence = 1",
        id=day.folio,
    )
    return {("folio_lines", day.folio)}


def _folio_ledger(day: BusyDay) -> Found:
    """A charge was booked as 1.00 more than it is."""
    day.hotel.rows(
        "UPDATE {s}.ledger_entries SET amount_micro = amount_micro + 1000000"
        " WHERE folio_id = :id AND credit_account = 'revenue:room'",
        id=day.folio,
    )
    return {("folio_ledger", day.folio)}


def _drawer_movements(day: BusyDay) -> Found:
    """The drop into the safe is written down as 1.00 less than was booked."""
    _change_movement(day.hotel, day.till.session, "drop")
    return {("drawer_movements", day.till.session)}


def _drawer_that_runs(day: BusyDay) -> Found:
    """The float of a drawer that still runs is written down as 1.00 less than was booked."""
    _change_movement(day.hotel, day.running.session, "float")
    return {("drawer_movements", day.running.session)}


PLANTS: Final[dict[str, Callable[[BusyDay], Found]]] = {
    "session_expected": _session_expected,
    "session_counted": _session_counted,
    "session_variance": _session_variance,
    "payment_amount": _payment_amount,
    "payment_not_captured": _payment_not_captured,
    "payment_not_recorded": _payment_not_recorded,
    "refund_amount": _refund_amount,
    "refund_not_made": _refund_not_made,
    "refund_not_recorded": _refund_not_recorded,
    "folio_lines": _folio_lines,
    "folio_ledger": _folio_ledger,
    "drawer_movements": _drawer_movements,
    "drawer_that_runs": _drawer_that_runs,
}


def plant(day: BusyDay, *names: str) -> Found:
    """Put what is wrong into the books or at the processor; what is to be found of it."""
    return set().union(*(PLANTS[name](day) for name in names))


def unplant_line(day: BusyDay) -> None:
    """Put the line back that `folio_lines` changed."""
    day.hotel.rows(
        "UPDATE {s}.folio_lines SET amount_micro = amount_micro - 1000000"
        " WHERE folio_id = :id AND sequence = 1",
        id=day.folio,
    )


def _add_to_json(day: BusyDay, column: str, micro: int) -> None:
    """Add to the first amount of a count, or of what was expected."""
    ((parts,),) = day.hotel.rows(
        f"SELECT {column} FROM {{s}}.cash_sessions WHERE id = :id", id=day.till.session
    )
    parts[0]["amountMicro"] += micro
    day.hotel.rows(
        f"UPDATE {{s}}.cash_sessions SET {column} = :parts WHERE id = :id",
        parts=json.dumps(parts),
        id=day.till.session,
    )


def _change_movement(hotel: Hotel, session: str, kind: str) -> None:
    hotel.rows(
        "UPDATE {s}.cash_movements SET amount_micro = amount_micro - 1000000"
        " WHERE session_id = :id AND kind = :kind",
        id=session,
        kind=kind,
    )


def _processor_folder(day: BusyDay) -> Path:
    return Path(day.hotel.house.wiring.settings.local_folder) / "processor"


def _captures(day: BusyDay, payment: str) -> Any:
    files = _processor_folder(day).glob("captures/*.json")
    return (file for file in files if json.loads(file.read_bytes())["payment"] == payment)


def capture_file(day: BusyDay, place: int) -> Path:
    """What the processor keeps of a payment of the day."""
    file: Path = next(_captures(day, day.payments[place][1]))
    return file


def _refund_file(day: BusyDay, refund_id: str) -> Path:
    return _processor_folder(day) / f"{refund_id}.json"


def _back_date(file: Path) -> None:
    """Put what was done at the processor into the afternoon of the day."""
    document = json.loads(file.read_bytes())
    file.write_text(json.dumps({**document, "at": "2026-03-01T12:00:00+00:00"}))
