"""Payouts to test with: what is held, an account that is proven, who asks and who decides.

enabled(hotel)
held(hotel, 50_000)
payout = asked(hotel, 30_000)
"""

import threading
from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from jobs.settle_payouts import settle_payouts
from tests.hotel import Hotel, new_id, usd
from tests.refunding import card_payment
from tests.till import Amount, signed
from tests.webhooks import Webhook, event

SCOPE = "platform.payout.approve"
LARGE = 1_000_001
"""10,000.01: more than one person may pay out alone."""
Figures = dict[str, int]


def connect(hotel: Hotel, account: str) -> TestResponse:
    """Connect an account of the processor."""
    return hotel.post("/payout-account", {"processorAccountId": account})


def account_told(
    hotel: Hotel, account: str, created: int, *, enabled: bool = True
) -> dict[str, Any]:
    """What the processor tells of an account."""
    about = {
        "id": account,
        "object": "account",
        "charges_enabled": True,
        "details_submitted": True,
        "email": "owner@hotel.example",
        "metadata": {"tenantId": str(hotel.tenant_id)},
        "payouts_enabled": enabled,
    }
    return event("account.updated", about, created=created)


def enabled(hotel: Hotel, kind: str = "acct_", number: str = "") -> str:
    """An account that the processor has proven; its id, which is made up unless it has a number."""
    account = f"{kind}{number or uuid4().hex[:16]}"
    assert connect(hotel, account).status_code == 200
    sent = account_told(hotel, account, 1_772_359_200)
    told = Webhook(hotel).send({**sent, "id": f"evt_{account}"})
    assert told.json["outcome"] == "applied", told.text
    return account


def held(hotel: Hotel, cents: int) -> str:
    """The processor holds so much of a card payment; its folio."""
    folio = hotel.open_folio()
    card_payment(hotel, folio, usd(cents))
    return folio


def wanted(hotel: Hotel, amount: Amount, **more: Any) -> dict[str, Any]:
    """What is asked for."""
    body = {"id": new_id("pyo"), "propertyId": str(hotel.property_id), "amount": amount}
    return {**body, **more}


def ask(hotel: Hotel, cents: int, by: str = "", **more: Any) -> TestResponse:
    """Ask for a payout, each by another person."""
    token = hotel.token(sub=by or f"clerk-{uuid4()}")
    return hotel.post("/payouts", wanted(hotel, usd(cents), **more), token=token)


def asked(hotel: Hotel, cents: int, by: str = "") -> str:
    """A payout that was asked for; its id."""
    answer = ask(hotel, cents, by)
    assert answer.status_code == 201, answer.text
    payout: str = answer.json["payoutId"]
    return payout


def decision(
    hotel: Hotel, payout: str, cents: int, deed: str, by: str, **more: Any
) -> dict[str, Any]:
    """What is sent by whoever decides, with their confirmation."""
    amount = usd(cents)
    context = signed(deed=f"payout.{deed}", tenant=str(hotel.tenant_id), payout=payout, **amount)
    token = hotel.confirmation(by, SCOPE, context)
    return {"amount": amount, "stepUpToken": token, **more}


def decide(
    hotel: Hotel, payout: str, cents: int, deed: str = "approve", by: str = "", **more: Any
) -> TestResponse:
    """Approve or reject a payout, each as another person."""
    by = by or f"approver-{uuid4()}"
    if deed == "reject":
        more.setdefault("reason", "The bank account is about to change")
    body = decision(hotel, payout, cents, deed, by, **more)
    return hotel.post(f"/payouts/{payout}/{deed}", body, token=hotel.token(sub=by))


def settle(hotel: Hotel) -> Progress:
    """Run the job for this hotel."""
    return hotel.house.wiring.job_shell.run(
        declaration_of(settle_payouts),  # type: ignore[arg-type] # a job's declaration
        Orders(tenants=(hotel.tenant_id,)),
        stop=threading.Event(),
        tell=lambda _: None,
    )


def payout_told(hotel: Hotel, payout: str, cents: int, status: str) -> dict[str, Any]:
    """What the processor tells of a payout of ours."""
    about = {
        "id": f"po_{uuid4().hex[:16]}",
        "object": "payout",
        "amount": cents,
        "currency": "usd",
        "metadata": {"payoutId": payout, "tenantId": str(hotel.tenant_id)},
        "status": status,
        **({"failure_code": "account_closed"} if status == "failed" else {}),
    }
    return event(f"payout.{status}", about)


def standing(hotel: Hotel) -> list[list[Any]]:
    """Each payout with its state."""
    return hotel.rows("SELECT id, status FROM {s}.payouts ORDER BY id")


def ledger(hotel: Hotel) -> Figures:
    """What lies where, in cents: debits less credits."""
    rows = hotel.rows(
        "SELECT account, (sum(micro) / 10000)::bigint FROM ("
        " SELECT debit_account AS account, amount_micro AS micro FROM {s}.ledger_entries"
        " UNION ALL SELECT credit_account, -amount_micro FROM {s}.ledger_entries) AS sides"
        " WHERE account IN ('card_clearing', 'payouts_in_transit', 'bank_clearing')"
        " GROUP BY account HAVING sum(micro) <> 0"
    )
    return dict(rows)


def payouts_of_every_state(hotel: Hotel) -> None:
    """One is paid, one failed after it was paid, one is under way, one waits, one is rejected."""
    enabled(hotel)
    held(hotel, 6_000_000)
    paid, returned = asked(hotel, 10_000), asked(hotel, 20_000)
    settle(hotel)
    told = payout_told(hotel, returned, 20_000, "failed")
    assert Webhook(hotel).send(told).json["outcome"] == "applied"
    assert decide(hotel, asked(hotel, LARGE), LARGE, "reject").status_code == 200
    assert decide(hotel, asked(hotel, LARGE), LARGE).status_code == 200
    settle(hotel)
    asked(hotel, LARGE)
    asked(hotel, 30_000)
    assert dict(standing(hotel))[paid] == "paid"
