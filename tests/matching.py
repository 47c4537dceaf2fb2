"""Differences with the processor to test with: what may be wrong on either side, and what is found.

expected = planted(day, "refund_not_recorded")
match(hotel)
assert differences(hotel) == expected
"""

import json
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

from werkzeug.test import TestResponse

from common.domain.money import Currency, Money
from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from jobs.reconcile_processor import reconcile_processor
from tests.hotel import Hotel, usd
from tests.paying_out import asked, enabled, settle
from tests.proofs import told
from tests.reconciling import (
    DATE,
    BusyDay,
    captured,
    never_told,
    paid_by_card,
    sandbox,
    untold,
)
from tests.reconciling import plant as planted_there
from tests.webhooks import Webhook, disputed, refunded_there

Found = set[tuple[str, str]]


def match(hotel: Hotel, as_of: date | None = DATE) -> Progress:
    """Run the job for this hotel."""
    return hotel.house.wiring.job_shell.run(
        declaration_of(reconcile_processor),  # type: ignore[arg-type] # a job's declaration
        Orders(tenants=(hotel.tenant_id,), as_of=as_of),
        stop=threading.Event(),
        tell=lambda _: None,
    )


def about(hotel: Hotel) -> list[str]:
    """What was told of differences, in its order."""
    return [each for each in told(hotel) if each.startswith("processor_reconciliation.")]


def differences(hotel: Hotel, status: str = "open") -> Found:
    """What differs and stands so: kind, and what it is about."""
    rows = hotel.rows(
        "SELECT kind, about FROM {s}.processor_differences WHERE status = :status", status=status
    )
    return {(kind, about) for kind, about in rows}


def a_dollar(cents: int = 100) -> Money:
    """So many cents."""
    return Money(cents * 10_000, Currency("USD"))


def closed_with_card(hotel: Hotel, cents: int = 5_000) -> tuple[str, str]:
    """A folio that was paid by a captured card and closed, and the processor's payment."""
    folio = hotel.open_folio()
    hotel.charged(folio, "minibar", cents)
    owed = hotel.get(f"/folios/{folio}").json["balance"]["amountMicro"] // 10_000
    _, payment = paid_by_card(hotel, folio, owed)
    assert hotel.post(f"/folios/{folio}/close").status_code == 200
    return folio, payment


def _refund_there(day: BusyDay) -> Found:
    """Somebody gave 1.00 back at the dashboard, and no event of it ever came."""
    sandbox(day.hotel).refund_there("re_silent", day.payments[0][1], a_dollar())
    _at_noon(day, "there")
    return {("refund_not_recorded", "re_silent")}


def _refund_waits(day: BusyDay) -> Found:
    """1.00 of a closed folio went back at the dashboard: both know it, and the folio does not."""
    _, payment = closed_with_card(day.hotel)
    sandbox(day.hotel).refund_there("re_late", payment, a_dollar())
    assert Webhook(day.hotel).send(refunded_there(payment, "re_late", 100)).status_code == 200
    return {("refund_to_settle", "re_late")}


def _dispute_not_recorded(day: BusyDay) -> Found:
    """A bank asks for 1.00, and no event of it ever came."""
    sandbox(day.hotel).dispute("dp_silent", day.payments[0][1], a_dollar())
    _at_noon(day, "disputes")
    return {("dispute_not_recorded", "dp_silent")}


def _dispute_amount(day: BusyDay) -> Found:
    """A bank asks for 1.00 there, and for 50.00 here."""
    sandbox(day.hotel).dispute("dp_more", day.payments[0][1], a_dollar())
    _at_noon(day, "disputes")
    _told_at_noon(day, "dp_more")
    return {("dispute_amount", "dp_more")}


def _dispute_not_opened(day: BusyDay) -> Found:
    """A dispute is written down that the processor knows nothing of."""
    _told_at_noon(day, "dp_none")
    return {("dispute_not_opened", "dp_none")}


def _payout_amount(day: BusyDay) -> Found:
    """The processor paid 1.00 more out than was asked for."""
    payout = _paid_out(day)
    file = _processor_folder(day) / "payouts" / f"{payout}.json"
    document = json.loads(file.read_bytes())
    file.write_text(json.dumps({**document, "amountMicro": document["amountMicro"] + 1_000_000}))
    return {("payout_amount", payout)}


def _payout_not_made(day: BusyDay) -> Found:
    """A payout is paid here, and the processor knows nothing of it."""
    payout = _paid_out(day)
    (_processor_folder(day) / "payouts" / f"{payout}.json").unlink()
    return {("payout_not_made", payout)}


def _payout_not_recorded(day: BusyDay) -> Found:
    """Somebody paid 1.00 out at the dashboard, and no event of it ever came."""
    account = connected(day.hotel)
    payout = f"po_silent_{account}"
    sandbox(day.hotel).pay_out_there(payout, account, a_dollar())
    _at_noon(day, "payouts_there", account)
    return {("payout_not_recorded", payout)}


def connected(hotel: Hotel) -> str:
    """The hotel's proven account at the processor."""
    rows = hotel.rows("SELECT processor_account_id FROM {s}.payout_accounts")
    account: str = rows[0][0] if rows else enabled(hotel)
    return account


def _paid_out(day: BusyDay) -> str:
    """30.00 were paid out in the afternoon of the day."""
    connected(day.hotel)
    payout = asked(day.hotel, 3_000)
    assert settle(day.hotel).exit_code == 0
    day.hotel.rows(
        "UPDATE {s}.payouts SET paid_at = '2026-03-01T12:00:00Z' WHERE id = :id", id=payout
    )
    return payout


def _told_at_noon(day: BusyDay, dispute: str) -> None:
    """A dispute of 50.00 was told of in the afternoon of the day."""
    told = disputed(day.payments[0][1], dispute, "needs_response", "created")
    assert Webhook(day.hotel).send(told).status_code == 200
    day.hotel.rows(
        "UPDATE {s}.payment_disputes SET opened_at = '2026-03-01T12:00:00Z'"
        " WHERE processor_dispute_id = :id",
        id=dispute,
    )


def _processor_folder(day: BusyDay) -> Path:
    return Path(day.hotel.house.wiring.settings.local_folder) / "processor"


def _at_noon(day: BusyDay, where: str, account: str = "") -> None:
    """What happened there happened in the afternoon of the day."""
    payments = {account, *(payment for _, payment in day.payments)}
    for file in (_processor_folder(day) / where).glob("*.json"):
        document = json.loads(file.read_bytes())
        if document["payment"] in payments:
            file.write_text(json.dumps({**document, "at": "2026-03-01T12:00:00+00:00"}))


def _as_planted(name: str) -> Callable[[BusyDay], Found]:
    return lambda day: planted_there(day, name)


PLANTS: Final[dict[str, Callable[[BusyDay], Found]]] = {
    name: _as_planted(name)
    for name in (
        "payment_amount",
        "payment_not_captured",
        "payment_not_recorded",
        "refund_amount",
        "refund_not_made",
    )
} | {
    "refund_not_recorded": _refund_there,
    "refund_to_settle": _refund_waits,
    "dispute_amount": _dispute_amount,
    "dispute_not_opened": _dispute_not_opened,
    "dispute_not_recorded": _dispute_not_recorded,
    "payout_amount": _payout_amount,
    "payout_not_made": _payout_not_made,
    "payout_not_recorded": _payout_not_recorded,
}


def planted(day: BusyDay, *names: str) -> Found:
    """Put what is wrong into the books or at the processor; what is to be found of it."""
    return set().union(*(PLANTS[name](day) for name in names))


def difference(hotel: Hotel) -> str:
    """An open difference about a payment that nobody told us of, of a day before all others; its
    id. The same again in a hotel that has forgotten everything."""
    ((others,),) = hotel.rows("SELECT count(*) FROM {s}.processor_differences")
    days = 3 + others
    done = match(hotel, never_told(hotel, days))
    assert (done.done, done.exit_code) == (1, 0), done
    rows = hotel.rows(
        "SELECT id FROM {s}.processor_differences WHERE about = :id", id=untold(hotel, days)
    )
    assert len(rows) == 1, rows
    identifier: str = rows[0][0]
    return identifier


def resolve(hotel: Hotel, difference_id: str, **more: Any) -> TestResponse:
    """Answer for a difference."""
    body = {"reason": "It was a trial of the terminal"}
    return hotel.post(f"/processor-differences/{difference_id}/resolve", body, **more)


def heard_of(hotel: Hotel, folio: str, payment: str, cents: int) -> None:
    """A payment is recorded that was captured before."""
    paid = {"method": "card", "paymentId": payment, "allowCredit": True}
    hotel.paid(folio, usd(cents), **paid)


def captured_there(hotel: Hotel, cents: int) -> str:
    """A payment is captured now, and nobody has told us; the processor's id of it."""
    return captured(hotel, cents)
