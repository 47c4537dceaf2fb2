"""What the service shows of a group's subscriptions, held against the model."""

from datetime import datetime
from typing import Any

from tests.hotel import Hotel
from tests.paying import charges as captures
from tests.trust.machine import checks
from tests.trust.machine.bills import Platform
from tests.trust.machine.plans import fee, name_of
from tests.trust.machine.setting_off import left

CENT = 10_000


def same_subscription(hotel: Hotel, platform: Platform, mark: str) -> None:
    """The one that stands, as its own tenant reads it, with what its period's end will bring."""
    sub = platform.last
    if sub is None:
        return
    answer = hotel.get(f"/subscriptions/{hotel.tenant_id}", token=hotel.token("subscription.read"))
    assert answer.status_code == 200, answer.text
    said = answer.json["subscription"]
    expected = {
        "subscriptionId": sub["id"],
        "status": sub["status"],
        "terms": terms_as_told(sub["terms"], mark),
        "nextTerms": terms_as_told(sub["next"], mark),
        "periodNumber": sub["number"],
        "credit": money(sub["credit"]),
        "committedPeriods": sub["committed"],
        "period": {"start": sub["start"], "end": sub["end"]},
        "pausedAt": sub["paused"],
        "canceledAt": sub["canceled"],
    }
    told = checks.only(said, expected)
    for terms in (told["terms"], told["nextTerms"] or {}):
        terms.pop("planVersion", None)
    told["period"] = {name: at(said["period"][name]) for name in ("start", "end")}
    told |= {name: at(said[name]) for name in ("pausedAt", "canceledAt")}
    checks.same(told, expected, "subscription")
    checks.same(answer.json["version"], sub["version"], "the subscription's version")
    following, coming = answer.json["nextInvoice"], platform.next_bill(sub)
    bill = following and (cents(following["total"]), cents(following["due"]))
    checks.same(bill, coming, "what comes next")


def same_invoices(hotel: Hotel, platform: Platform) -> None:
    """Each bill, line by line, and whether it is paid, open or lost; new ones get their ids."""
    answer = hotel.get(
        "/subscription-invoices", token=hotel.token("subscription.read"), limit="200"
    )
    assert answer.status_code == 200, answer.text
    said = sorted(answer.json["items"], key=lambda each: str(each["number"]))
    checks.same(len(said), len(platform.invoices), "bills")
    for told, invoice in zip(said, platform.invoices, strict=True):
        assert invoice["id"] in (None, told["invoiceId"])
        invoice["id"] = told["invoiceId"]
        bill = told["bill"]
        found = {
            "sub": told["subscriptionId"],
            "status": told["status"],
            "purpose": bill["purpose"],
            "number": bill["periodNumber"],
            "lines": [
                {
                    "kind": each["kind"],
                    "cents": cents(each["amount"]),
                    "meter": each["meter"],
                    "quantity": each["quantity"],
                    "period": each["usagePeriod"],
                }
                for each in bill["lines"]
            ],
            **{name: cents(bill[name]) for name in ("net", "due")},
            "tax": cents(bill["tax"]["amount"]),
            "brought": cents(bill["creditUsed"]),
            "carried": cents(bill["creditLeft"]),
            "off": cents(told["setOff"]),
            "left": cents(told["left"]),
            "pays": paid_by(bill),
        }
        expected = {name: invoice[name] for name in found if name in invoice}
        expected |= {"sub": invoice["sub"]["id"], "status": status_of(invoice)}
        expected |= {"left": left(invoice)}
        expected |= {"pays": [(each["id"], amount) for each, amount in invoice["pays"]]}
        checks.same(found, expected, f"bill {told['number']}")


def paid_by(bill: dict[str, Any]) -> list[tuple[str, int]]:
    """Which bills the credit of one pays, and how much of each."""
    return [(each["invoiceId"], cents(each["amount"])) for each in bill["setOff"]]


def same_charges(hotel: Hotel, platform: Platform) -> None:
    """Each charge of an invoice, of how much, and when somebody asks what became of it."""
    rows = hotel.house.sql(
        "SELECT invoice_id, trial, id, amount_micro / 10000, status, failure_code, is_superseded,"
        " next_attempt_at"
        " FROM billing_central.subscription_payments WHERE tenant_id = :t",
        t=hotel.tenant_id,
    )
    said = {(row[0], row[1]): row[3:] for row in rows}
    ids = {(row[0], row[1]): row[2] for row in rows}
    expected = {}
    for sub in platform.subs:
        for each in sub["charges"]:
            place = each["invoice"]["id"], each["trial"]
            each["id"] = ids.get(place)
            known = [each[name] for name in ("cents", "status", "failure", "superseded", "next")]
            expected[place] = known
    checks.same(said, expected, "charges")


def same_collections(hotel: Hotel, platform: Platform, cards: dict[str, str]) -> None:
    """How each subscription is collected."""
    said = hotel.house.sql(
        "SELECT subscription_id, payment_method_id, failing_since, failures, wants_method, next_at"
        " FROM billing_central.subscription_collections WHERE tenant_id = :t",
        t=hotel.tenant_id,
    )
    expected = {}
    for sub in platform.subs:
        if (found := sub["collection"]) is not None:
            known = [found[name] for name in ("since", "failures", "wants", "next")]
            expected[sub["id"]] = [found["card"] and cards[found["card"]], *known]
    checks.same({row[0]: row[1:] for row in said}, expected, "collections")


def accounts(hotel: Hotel) -> dict[str, int]:
    """What stands in each of the platform's accounts, in cents; taxes of all countries together."""
    rows = hotel.house.sql(
        "WITH booked AS ("
        "  SELECT debit_account, credit_account, amount_micro"
        "  FROM billing_central.platform_entries WHERE tenant_id = :t"
        "  UNION ALL SELECT debit_account, credit_account, amount_micro"
        "  FROM billing_central.platform_reversal_entries WHERE tenant_id = :t)"
        " SELECT split_part(account, ':', 1), sum(micro)::bigint / 10000 FROM ("
        "  SELECT debit_account AS account, amount_micro AS micro"
        "  FROM booked UNION ALL SELECT credit_account, -amount_micro FROM booked) AS sides"
        " GROUP BY 1",
        t=hotel.tenant_id,
    )
    return {name: amount for name, amount in rows if amount}


def taken(hotel: Hotel) -> set[tuple[str, int]]:
    """What the processor has taken from the group's cards: under which id, and how much."""
    return {(each["payment"], each["amountMicro"]) for each in captures(hotel)}


def same_taken(found: set[tuple[str, int]], platform: Platform) -> None:
    """What the processor has taken is what was charged for an invoice, each of them once."""
    paid = {
        (f"sandbox_pi_{charge['id'].removeprefix('pin_')}", charge["cents"] * CENT)
        for sub in platform.subs
        for charge in sub["charges"]
        if charge["status"] == "succeeded"
        or (charge["acted"] and charge["acted"][0] == "succeeded")
        or (charge["asked"] and charge["card"] == "sandbox_lost")
    }
    checks.same(found, paid, "what the processor has taken")


def status_of(invoice: dict[str, Any]) -> str:
    if invoice["paid"] or not left(invoice):
        return "paid"
    return "uncollectible" if invoice["lost"] else "open"


def terms_as_told(terms: Any, mark: str) -> dict[str, Any] | None:
    if terms is None:
        return None
    plan, seats, interval = terms
    told = {"plan": name_of(plan, mark), "seats": seats, "interval": interval}
    return {**told, "fee": money(fee(terms))}


def money(amount: int) -> dict[str, Any]:
    return {"amountMicro": amount * CENT, "currency": "USD"}


def cents(amount: dict[str, Any]) -> int:
    assert amount["currency"] == "USD"
    assert amount["amountMicro"] % CENT == 0
    return int(amount["amountMicro"]) // CENT


def at(told: str | None) -> datetime | None:
    return told and datetime.fromisoformat(told)  # type: ignore[return-value] # "" is never told
