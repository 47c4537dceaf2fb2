"""What the service shows, held against the model: a folio, an invoice, and in the end all of it."""

from datetime import date, datetime
from typing import Any

from tests.hotel import Hotel
from tests.proofs import assert_books_are_right
from tests.refunding import standing
from tests.trust.books import broken
from tests.trust.machine import folio as folios
from tests.trust.machine import prepaid
from tests.trust.machine.expected import Told
from tests.trust.machine.folio import Folio
from tests.trust.machine.office import Group
from tests.trust.machine.world import World


def money(folio: Folio, minor: int) -> dict[str, Any]:
    return {"amountMicro": minor * folio["micro"], "currency": folio["currency"]}


def line_as_told(folio: Folio, place: int) -> dict[str, Any]:
    """A line as every answer that holds it must read."""
    line = folio["lines"][place]
    charged, corrected = line["charge"], line["corrects"]
    charge_id = None
    if charged is not None:
        charge_id = folio["lines"][charged["postings"][0]["first"]]["id"]
    return {
        "lineId": line["id"],
        "sequence": place + 1,
        "type": line["type"],
        "kind": line["kind"],
        "amount": money(folio, line["amount"]),
        "businessDate": line["day"].isoformat(),
        "serviceDate": line["service"].isoformat() if line["service"] else None,
        "chargeId": charge_id,
        "corrects": corrected["id"] if corrected is not None else None,
        "tax": line["tax"],
    }


def same(said: Any, expected: Any, what: str = "") -> None:
    """The two are equal; otherwise what differs is told."""
    if said == expected:
        return
    if isinstance(said, dict) and isinstance(expected, dict):
        names = [name for name in {**said, **expected} if said.get(name) != expected.get(name)]
        told = [f"{name}: {said.get(name)!r}, not {expected.get(name)!r}" for name in names]
        raise AssertionError(f"{what}: " + "; ".join(told))
    raise AssertionError(f"{what}: {said!r}, not {expected!r}")


def only(said: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    """The fields that are compared; of a tax its code."""
    found = {name: said[name] for name in names}
    if isinstance(found.get("tax"), dict):
        found["tax"] = found["tax"]["code"]
    return found


def same_lines(folio: Folio, said: list[dict[str, Any]], first: int = 0) -> None:
    """The lines from `first` on, one by one."""
    expected = [line_as_told(folio, place) for place in range(first, len(folio["lines"]))]
    same(len(said), len(expected), f"lines of {folio['id']}")
    for each, wanted in zip(said, expected, strict=True):
        same(only(each, wanted), wanted, f"line {wanted['sequence']} of {folio['id']}")


def view(folio: Folio) -> dict[str, Any]:
    """A folio without its lines."""
    return {
        "folioId": folio["id"],
        "propertyId": folio["house"]["id"],
        "status": "open" if folio["open"] else "closed",
        "reservationId": folio["reservation"],
        "window": folio["window"],
        "windows": folio["windows"],
        "currency": folio["currency"],
        "balance": money(folio, folios.balance(folio)),
        "businessDate": folio["day"].isoformat(),
        "version": folio["version"],
    }


def same_folio(folio: Folio, said: dict[str, Any]) -> None:
    expected = view(folio)
    same(only(said, expected), expected, f"folio {folio['id']}")
    if "lines" in said:
        same_lines(folio, said["lines"])


def same_credits(account: dict[str, Any], said: dict[str, Any], now: datetime) -> None:
    """An account of credits, and what of it is a gift or was bought."""
    expected: dict[str, Any] = {
        **prepaid.shown(account, now),
        "accountId": account["id"] if account["version"] else None,
        "freeLeftMicro": 0,
        "expiringNext": None,
    }
    same(only(said, expected), expected, f"account {account['name']}")
    if not prepaid.over(account, now):
        of_sources = {each["source"]: each["availableMicro"] for each in said["bySource"]}
        for source in prepaid.PRIORITY:
            lots = [lot for lot in account["lots"] if lot["source"] == source]
            same(of_sources[source], sum(map(prepaid.free, lots)), f"{account['name']}: {source}")


def take_over_credits(hotel: Hotel, group: Group) -> None:
    """The ids of accounts and lots; each is known by its name, or by what was granted."""
    for name, account_id, lot_id, root in hotel.rows(
        "SELECT a.name, a.id, l.id, root.source_key FROM {s}.credit_accounts AS a"
        " LEFT JOIN {s}.credit_lots AS l ON l.account_id = a.id"
        " LEFT JOIN {s}.credit_lots AS root ON root.id = l.root_id"
    ):
        account = group.accounts[name]
        assert account["id"] in (None, account_id)
        account["id"] = account_id
        for lot in account["lots"]:
            if lot["root"] == root:
                assert lot["id"] in (None, lot_id)
                lot["id"] = lot_id


def same_invoice(invoice: dict[str, Any], said: dict[str, Any]) -> None:
    """An invoice adds up to what the folio came to, and names the document before it."""
    folio, payload = invoice["folio"], said["payload"]
    micro = folio["micro"]
    totals = folios.totals(folio)
    assert (said["number"], said["businessDate"]) == (invoice["number"], invoice["day"].isoformat())
    assert said["total"] == money(folio, totals["paid"])
    sums = {
        "netMicro": totals["net"] * micro,
        "taxMicro": totals["tax"] * micro,
        "grossMicro": totals["gross"] * micro,
        "paidMicro": totals["paid"] * micro,
        "roundingMicro": -folio["residual"] * micro,
        "dueMicro": 0,
    }
    same(payload["totals"], sums, "totals")
    assert payload["lineIds"] == [line["id"] for line in folio["lines"]]
    groups = {(g["code"], g["ratePpm"]): g["amountMicro"] for g in payload["taxBreakdown"]}
    owed = {tax: units * micro for tax, units in folios.owed_by_tax(folio).items()}
    same({tax: units for tax, units in groups.items() if units},
         {tax: units for tax, units in owed.items() if units}, "tax breakdown")  # fmt: skip
    rows = payload["lines"]
    assert sum(row["grossMicro"] for row in rows) == totals["gross"] * micro
    assert sum(row["taxMicro"] for row in rows) == totals["tax"] * micro
    before = invoice["before"]
    assert payload["previousDocumentSha256"] == (before["hash"] if before else None)
    assert payload["series"]["sequence"] == invoice["place"]
    assert (said["signed"], said["copies"]) == (invoice["signed"], invoice["copies"])


def same_day(group: Group, said: dict[str, Any]) -> None:
    """The end of a day, as it is shown: who was there, and what all folios moved by."""
    day = group.days[said["propertyId"], date.fromisoformat(said["businessDate"])]
    assert day["id"] in (None, said["nightAuditId"])
    day["id"] = said["nightAuditId"]
    moved: dict[str, int] = {}
    for each in said["guestLedger"]:
        if each["account"] == "guest_deposits":  # where credit stands, and no line of a folio
            continue
        currency = each["amount"]["currency"]
        moved[currency] = moved.get(currency, 0) + each["amount"]["amountMicro"]
    moved = {currency: micro for currency, micro in moved.items() if micro}
    same(
        (moved, said["inHouse"], said["noShows"]),
        (day["moved"], day["in_house"], day["no_shows"]),
        f"the day {said['businessDate']}",
    )


def told_so_far(world: World, last: int) -> tuple[list[tuple[int, Told]], int]:
    """What stands in the outbox behind a place, by tenant, and the new last place."""
    numbers = {hotel.tenant_id: number for number, hotel in enumerate(world.tenants)}
    rows = world.house.sql(
        "SELECT id, tenant_id, event_type, ordering_key, sequence FROM billing_central.outbox"
        " WHERE tenant_id = ANY(:tenants) AND id > :last ORDER BY id",
        tenants=list(numbers),
        last=last,
    )
    prefix, suffix = "melmastoon.billing.", ".v1"
    told = [
        (numbers[tenant], (kind.removeprefix(prefix).removesuffix(suffix), subject, number))
        for _, tenant, kind, subject, number in rows
    ]
    return told, rows[-1][0] if rows else last


def same_books(world: World, number: int, group: Group) -> None:
    """Everything of a tenant, at the end of an example."""
    hotel = world.tenants[number]
    everywhere = [house["id"] for house in group.houses]

    def get(path: str, **query: str) -> Any:
        answer = world.call(number, "auditor", everywhere, "GET", path, query=query)
        assert answer.status_code == 200, answer.text
        return answer.json

    assert_books_are_right(hotel)
    same(broken(hotel), [], "the invariants")
    for folio in group.folios:
        same_folio(folio, get(f"/folios/{folio['id']}"))
    for status in ("open", "closed"):
        known = [each["id"] for each in group.folios if each["open"] == (status == "open")]
        same(listed(get, status), sorted(known), f"the list of {status} folios")
    same_series(group, get)
    taken = {tuple(row) for row in hotel.rows("SELECT consumer, event_id FROM {s}.inbox")}
    same(taken, group.taken, "inbox")
    waiting = hotel.rows("SELECT invoice_id, attempts, next_attempt_at FROM {s}.render_queue")
    same(sorted(map(tuple, standing(hotel))), group.standing(), "refunds")
    queue = {each: (waits["attempts"], waits["due"]) for each, waits in group.queue.items()}
    same({row[0]: (row[1], row[2]) for row in waiting}, queue, "invoices that wait")


def listed(get: Any, status: str) -> list[str]:
    """All pages of a list of folios, in their order."""
    page = get("/folios", limit="3", status=status)
    found = [each["folioId"] for each in page["items"]]
    while page["nextCursor"] is not None:
        page = get("/folios", limit="3", status=status, cursor=page["nextCursor"])
        found += [each["folioId"] for each in page["items"]]
    return found


def same_letters(world: World, groups: list[Group]) -> None:
    """The dead letters of both groups: one that names the other group as well is one letter."""
    rows = world.house.sql(
        "SELECT consumer, reason FROM billing_central.dead_letters"
        " WHERE strpos(message, :one) > 0 OR strpos(message, :other) > 0",
        one=str(world.tenants[0].tenant_id),
        other=str(world.tenants[1].tenant_id),
    )
    found = [(consumer, reason.split(":")[0].rsplit(".", 1)[-1]) for consumer, reason in rows]
    expected = [
        (consumer, code) for group in groups for (consumer, _), code in group.letters.items()
    ]
    same(sorted(found), sorted(expected), "dead letters")


def same_series(group: Group, get: Any) -> None:
    """Invoices are numbered 1 to n in each series, each the successor of the one before."""
    for series in group.series.values():
        assert [each["place"] for each in series] == list(range(1, len(series) + 1))
        for invoice in series:
            said = get(f"/invoices/{invoice['id']}")
            invoice["hash"] = said["payloadSha256"]
            same_invoice(invoice, said)
    listed = [each["number"] for each in get("/invoices", limit="200")["items"]]
    assert sorted(listed) == sorted(each["number"] for each in group.invoices)
