"""What a folio must come to, said once more in the plainest way.

Dictionaries, whole minor units and fractions; not a line of the code under test. A folio is its
charges (each a list of prices: the first, then the corrections) and what was paid. A tax is a share
of the price, or so much a night. What is owed for a tax is the sum of its exact parts, rounded
once: per line a part is exact in minor units, per invoice in micro units.
"""

from fractions import Fraction
from typing import Any

Model = dict[str, Any]

REGIMES: dict[str, list[dict[str, Any]]] = {
    "on top": [{"code": "VAT", "share": Fraction(10, 100), "inclusive": False}],
    "inside": [{"code": "VAT", "share": Fraction(7, 107), "inclusive": True}],
    "city tax": [
        {"code": "CITY", "a_night": 25, "inclusive": False, "kinds": ["room"]},
        {"code": "VAT", "share": Fraction(10, 100), "inclusive": False},
    ],
    "two inside": [
        {"code": "GST", "share": Fraction(5, 113), "inclusive": True},
        {"code": "VAT", "share": Fraction(8, 113), "inclusive": True},
    ],
    # 3 % on the price with the 10 % that it contains
    "on a tax": [
        {"code": "LEVY", "share": Fraction(3, 100), "inclusive": False},
        {"code": "VAT", "share": Fraction(10, 110), "inclusive": True},
    ],
}
TAXED_KINDS = ["room", "minibar"]


def half_away(number: Fraction) -> int:
    """The nearest whole number, a half going away from zero."""
    whole = int(abs(number) + Fraction(1, 2))
    return -whole if number < 0 else whole


def opened(regime: str, rounding: str, *, micro: int, euro: Fraction) -> Model:
    """An empty folio; a minor unit is `micro`, a euro cent is worth `euro` minor units."""
    return {
        "taxes": REGIMES[regime],
        "rounding": rounding,
        "micro": micro,
        "euro": euro,
        "charges": [],
        "paid": [],
        "open": True,
    }


def charge(model: Model, kind: str, price: int, nights: int) -> str | None:
    """The code of the refusal, or None."""
    if not model["open"]:
        return "FOLIO_CLOSED"
    if kind not in TAXED_KINDS:
        return "TAX_RULE_MISSING"
    posted = {"kind": kind, "prices": [], "exact": {}, "void": False}
    _add(model, posted, price, nights)
    model["charges"].append(posted)
    return None


def adjust(model: Model, which: int, amount: int) -> str | None:
    posted = model["charges"][which]
    if not model["open"]:
        return "FOLIO_CLOSED"
    if posted["void"]:
        return "CHARGE_ALREADY_VOIDED"
    if amount == 0:
        return "AMOUNT_NOT_POSITIVE"
    if sum(posted["prices"]) + amount < 0:
        return "ADJUSTMENT_EXCEEDS_CHARGE"
    _add(model, posted, amount, 0)
    return None


def void(model: Model, which: int) -> str | None:
    posted = model["charges"][which]
    if not model["open"]:
        return "FOLIO_CLOSED"
    if posted["void"]:
        return "CHARGE_ALREADY_VOIDED"
    posted["void"] = True
    return None


def pay(model: Model, amount: int, *, in_euros: bool, allow_credit: bool) -> str | None:
    worth = half_away(amount * model["euro"]) if in_euros else amount
    if worth <= 0:
        return "AMOUNT_NOT_POSITIVE"
    if not model["open"]:
        return "FOLIO_CLOSED"
    if balance(model) - worth < -int(in_euros) and not allow_credit:
        return "OVERPAYMENT"
    model["paid"].append({"worth": worth, "in_euros": in_euros})
    return None


def close(model: Model) -> str | None:
    if not model["open"]:
        return "FOLIO_CLOSED"
    if abs(balance(model)) > sum(paid["in_euros"] for paid in model["paid"]):
        return "BALANCE_DUE"
    model["residual"] = balance(model)
    model["open"] = False
    return None


def balance(model: Model) -> int:
    """What is owed before a residual is absorbed."""
    return consumed(model) - sum(paid["worth"] for paid in model["paid"])


def consumed(model: Model) -> int:
    """Prices and what is on top of them."""
    on_top = {tax["code"] for tax in model["taxes"] if not tax["inclusive"]}
    return sum(sum(posted["prices"]) for posted in _standing(model)) + sum(
        owed for code, owed in tax_owed(model).items() if code in on_top
    )


def tax_owed(model: Model) -> dict[str, int]:
    """By code: the exact parts, summed, then rounded once."""
    sums: dict[str, int] = {}
    for posted in _standing(model):
        for code, exact_micro in posted["exact"].items():
            sums[code] = sums.get(code, 0) + exact_micro
    return {code: half_away(Fraction(sums[code], model["micro"])) for code in sums}


def _standing(model: Model) -> list[dict[str, Any]]:
    return [posted for posted in model["charges"] if not posted["void"]]


def _add(model: Model, posted: dict[str, Any], price: int, nights: int) -> None:
    posted["prices"].append(price)
    for tax in model["taxes"]:
        if posted["kind"] not in tax.get("kinds", TAXED_KINDS):
            continue
        exact = Fraction(tax["a_night"] * nights) if "a_night" in tax else price * tax["share"]
        unit = 1 if model["rounding"] == "line" else model["micro"]
        exact_micro = half_away(exact * unit) * (model["micro"] // unit)
        before = posted["exact"].get(tax["code"], 0)
        posted["exact"][tax["code"]] = before + exact_micro
