"""What a folio must come to: lines, balance and refusals, from integers and fractions alone.

Not a line of the code under test. Amounts are whole minor units; the exact part of a tax is in
micro units. A folio keeps the sum of the exact parts for each tax, and a line of tax is what the
sum, rounded once, has moved by: so whatever is posted and reversed, what stands for a tax is its
exact sum, rounded once (per line, a part is rounded before it is summed). A refusal is the last
part of its code; whatever is refused has changed nothing.
"""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

from tests.trust.machine.hotels import EURO_MICRO, TAXED_KINDS, House, Tax

Folio = dict[str, Any]
Line = dict[str, Any]


def half_away(number: Fraction) -> int:
    """The nearest whole number, a half going away from zero."""
    whole = int(abs(number) + Fraction(1, 2))
    return -whole if number < 0 else whole


def opened(house: House, *, day: date, euro: Fraction | None, **given: Any) -> Folio:
    """An empty folio; `euro` is what one is worth in its currency, by the rate that it pinned."""
    return {
        "id": None,
        "house": house,
        "micro": house["micro"],
        "currency": house["currency"],
        "euro": euro,
        "day": day,
        "open": True,
        "version": 1,
        "lines": [],
        "sums": {},
        "charges": [],
        "paid": [],
        "refunds": [],
        "stay": None,
        "windows": ["guest"],
        "window": "guest",
        "reservation": None,
        **given,
    }


def balance(folio: Folio) -> int:
    return sum(line["amount"] for line in folio["lines"])


def charge(
    folio: Folio, asked: dict[str, Any], taxes: list[Tax], per_invoice: bool, day: date
) -> str | None:
    """`asked`: kind, price (of all), currency, nights, window, wrong (the amount given).

    `service` is the night that it is for, where a night audit charges it for its own `day`.
    """
    if asked["wrong"]:
        return "AMOUNT_DIFFERS"
    if asked["price"] <= 0:
        return "AMOUNT_NOT_POSITIVE"
    if not folio["open"]:
        return "FOLIO_CLOSED"
    if asked["currency"] != folio["currency"]:
        return "CURRENCY_MISMATCH"
    if asked["kind"] not in TAXED_KINDS:
        return "TAX_RULE_MISSING"
    covering = [tax for tax in taxes if asked["kind"] in tax.get("kinds", TAXED_KINDS)]
    fixed = any("a_night" in tax for tax in covering)
    if fixed and folio["currency"] != folio["house"]["currency"]:
        return "CURRENCY_MISMATCH"
    if asked["window"] not in (None, *folio["windows"]):
        return "WINDOW_UNKNOWN"
    parts = [
        (tax, exact_part(folio, tax, asked["price"], asked["nights"], per_invoice))
        for tax in covering
    ]
    posted = new_charge(asked["kind"], asked.get("service", day))
    post(folio, posted, "charge", asked["price"], parts, day)
    folio["charges"].append(posted)
    folio["version"] += 1
    return None


def new_charge(kind: str, service: date | None) -> dict[str, Any]:
    """A charge of which nothing is posted yet."""
    return {"kind": kind, "postings": [], "void": False, "service": service, "ids": []}


def adjust(
    folio: Folio, which: int | None, amount: int, currency: str, per_invoice: bool, day: date
) -> str | None:
    if not folio["open"]:
        return "FOLIO_CLOSED"
    if which is None:
        return "CHARGE_UNKNOWN"
    posted = folio["charges"][which]
    if posted["void"]:
        return "CHARGE_ALREADY_VOIDED"
    if amount == 0:
        return "AMOUNT_NOT_POSITIVE"
    if currency != folio["currency"]:
        return "CURRENCY_MISMATCH"
    if price(posted) + amount < 0:
        return "ADJUSTMENT_EXCEEDS_CHARGE"
    rated = [tax for tax, _ in posted["postings"][0]["parts"] if "share" in tax]
    parts = [(tax, exact_part(folio, tax, amount, 0, per_invoice)) for tax in rated]
    post(folio, posted, "adjustment", amount, parts, day)
    folio["version"] += 1
    return None


def void(folio: Folio, which: int | None, day: date) -> str | None:
    if not folio["open"]:
        return "FOLIO_CLOSED"
    if which is None:
        return "CHARGE_UNKNOWN"
    posted = folio["charges"][which]
    if posted["void"]:
        return "CHARGE_ALREADY_VOIDED"
    posted["void"] = True
    for posting in list(posted["postings"]):
        reversed_parts = [(tax, -exact) for tax, exact in posting["parts"]]
        post(folio, posted, "void", -posting["price"], reversed_parts, day, posting)
    folio["version"] += 1
    return None


def worth(folio: Folio, amount: int, currency: str) -> int | None:
    """What a payment counts for; None where there is no rate."""
    if currency == folio["currency"]:
        return amount
    if currency != "EUR" or folio["euro"] is None:
        return None
    return half_away(amount * EURO_MICRO * folio["euro"] / Fraction(folio["micro"]))


def pay(folio: Folio, asked: dict[str, Any], residual: int, day: date) -> str | None:
    """`asked`: method, amount, currency, processor (its payment, or None), credit."""
    if asked["method"] == "cash":  # nobody has a drawer open in these lives
        return "NO_OPEN_CASH_SESSION"
    counted = worth(folio, asked["amount"], asked["currency"])
    if counted is None:
        return "FX_RATE_MISSING"
    if asked["amount"] <= 0 or counted <= 0:
        return "AMOUNT_NOT_POSITIVE"
    if asked["method"] == "card" and asked["processor"] is None:
        return "PROCESSOR_PAYMENT_MISSING"
    if not folio["open"]:
        return "FOLIO_CLOSED"
    foreign = asked["currency"] != folio["currency"]
    if balance(folio) - counted < -residual * foreign and not asked["credit"]:
        return "OVERPAYMENT"
    paid = {"worth": counted, "foreign": foreign, "back": 0, "back_worth": 0}
    folio["paid"].append({**asked, **paid, "line": len(folio["lines"])})
    folio["lines"].append(line_of(folio, "payment", asked["method"], -counted, day))
    folio["version"] += 1
    return None


def stays_open(folio: Folio) -> str | None:
    """Why a folio does not close, whatever it owes."""
    if not folio["open"]:
        return "FOLIO_CLOSED"
    if any(refund["waits"] for refund in folio["refunds"]):
        return "REFUND_PENDING"
    return None


def close(folio: Folio, residual: int, day: date) -> str | None:
    if code := stays_open(folio):
        return code
    left = balance(folio)
    kept = [paid for paid in folio["paid"] if paid["back"] < paid["amount"]]
    if abs(left) > residual * sum(paid["foreign"] for paid in kept):
        folio["version"] += 1  # that somebody wanted to leave with something owing is told
        return "BALANCE_DUE"
    folio["residual"] = left
    if left:
        folio["lines"].append(line_of(folio, "rounding", "rounding", -left, day))
    folio["open"] = False
    folio["version"] += 1
    return None


def price(posted: dict[str, Any]) -> int:
    """What was asked for a charge, corrections included."""
    return sum(posting["price"] for posting in posted["postings"])


def totals(folio: Folio) -> dict[str, int]:
    """What the invoice of a closed folio says, in minor units."""
    tax = sum(line["amount"] for line in folio["lines"] if line["tax"])
    paid = sum(one["worth"] - one["back_worth"] for one in folio["paid"])
    gross = paid + folio["residual"]
    return {"net": gross - tax, "tax": tax, "gross": gross, "paid": paid}


def owed_by_tax(folio: Folio) -> dict[tuple[str, int | None], int]:
    """The exact parts of what stands, summed, then rounded: once for each way of pricing."""
    sums: dict[tuple[str, int | None], int] = {}
    for (code, ppm, _), exact in folio["sums"].items():
        rounded = half_away(Fraction(exact, folio["micro"]))
        sums[code, ppm] = sums.get((code, ppm), 0) + rounded
    return sums


def exact_part(folio: Folio, tax: Tax, asked: int, nights: int, per_invoice: bool) -> int:
    """The part of a price that a tax is, in micro units; per line it is a whole minor unit."""
    minor = Fraction(tax["a_night"] * nights) if "a_night" in tax else asked * tax["share"]
    unit = folio["micro"] if per_invoice else 1
    return half_away(minor * unit) * (folio["micro"] // unit)


def post(
    folio: Folio,
    posted: dict[str, Any],
    kind: str,
    asked: int,
    parts: list[tuple[Tax, int]],
    day: date,
    reverses: dict[str, Any] | None = None,
) -> None:
    """Write a posting down: what was asked without the taxes it contains, then its taxes."""
    moved = [(tax, _moved(folio, tax, exact)) for tax, exact in parts]
    net = asked - sum(amount for tax, amount in moved if tax.get("inclusive"))
    first = len(folio["lines"])
    own: list[tuple[str | None, int]] = [(None, net)]
    own += [(tax["code"], amount) for tax, amount in moved]
    for place, (code, amount) in enumerate(own):
        line = line_of(folio, kind, posted["kind"], amount, day)
        if code is not None:
            line |= {"tax": code, "type": "void" if kind == "void" else "tax"}
        line["service"] = posted["service"]
        line["charge"] = posted
        line["corrects"] = _corrected(folio, posted, kind, place, reverses)
        folio["lines"].append(line)
    if kind != "void":
        posted["postings"].append({"price": asked, "parts": parts, "first": first})


def _corrected(
    folio: Folio, posted: dict[str, Any], kind: str, place: int, reverses: dict[str, Any] | None
) -> Line | None:
    if kind == "void" and reverses is not None:
        line: Line = folio["lines"][reverses["first"] + place]
        return line
    if kind == "adjustment":
        charged: Line = folio["lines"][posted["postings"][0]["first"]]
        return charged
    return None


def _moved(folio: Folio, tax: Tax, exact: int) -> int:
    group = tax["code"], tax.get("ppm"), tax.get("inclusive", False)
    before = folio["sums"].get(group, 0)
    folio["sums"][group] = before + exact
    micro = folio["micro"]
    return half_away(Fraction(before + exact, micro)) - half_away(Fraction(before, micro))


def line_of(folio: Folio, kind: str, what: str, amount: int, day: date) -> Line:
    return {
        "id": None,
        "type": kind,
        "kind": what,
        "amount": amount,
        "tax": None,
        "day": day,
        "service": None,
        "charge": None,
        "corrects": None,
    }


def bind(lines: Iterable[Line], told: list[dict[str, Any]]) -> None:
    """Take over the ids that the service gave to its lines."""
    for line, said in zip(lines, told, strict=True):
        line["id"] = said["lineId"]


def which_of(folio: Folio, charge_id: str) -> int | None:
    ids = [folio["lines"][each["postings"][0]["first"]]["id"] for each in folio["charges"]]
    return ids.index(charge_id) if charge_id in ids else None


def reference_of(body: dict[str, Any]) -> tuple[str, str | None]:
    return body.get("source", "manual"), body.get("externalReference")
