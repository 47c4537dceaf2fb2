"""What a drawer's session must come to, said once more in the plainest way.

Dictionaries and whole cents; not a line of the code under test. A session is what is due in it by
currency, who has signed what, and since when it waits.
"""

from typing import Any

Model = dict[str, Any]
STUCK_HOURS = 6


def opened(opening: dict[str, int]) -> Model:
    """A session with its float."""
    return {
        "status": "open",
        "due": dict(opening),
        "counts": 0,
        "count": None,
        "by": None,
        "co": None,
        "waits": None,
        "told": False,
        "missing": {},
    }


def move(model: Model, kind: str, currency: str, cents: int) -> str | None:
    """The code of the refusal, or None. A guest's payment is a move like any other."""
    if model["status"] != "open":
        return "NO_OPEN_CASH_SESSION" if kind == "pay" else "CASH_SESSION_NOT_OPEN"
    sign = -1 if kind in ("paid_out", "drop") else 1
    model["due"][currency] = model["due"].get(currency, 0) + sign * cents
    return None


def count(model: Model, who: str, number: int, counted: dict[str, int], hour: int) -> str | None:
    if model["status"] != "open":
        return "CASH_SESSION_NOT_OPEN"
    if number != model["counts"] + 1:
        return "CASH_COUNT_DIFFERS"
    model.update(status="pending_close", waits=hour, told=False)
    model.update(counts=number, by=who, count=dict(counted))
    return None


def recount(model: Model, who: str, number: int, counted: dict[str, int], hour: int) -> str | None:
    if model["status"] != "pending_close":
        return "CASH_SESSION_NOT_PENDING"
    if hour - model["waits"] < STUCK_HOURS:
        return "CASH_SESSION_NOT_STUCK"
    if who == model["by"]:
        return "CASH_SAME_PERSON"
    if number != model["counts"] + 1:
        return "CASH_COUNT_DIFFERS"
    model.update(counts=number, by=who, count=dict(counted))
    return None


def close(model: Model, who: str, seen: tuple[Any, ...]) -> str | None:
    """`seen` is the count that the co-signer signs: who made it, its number, what was counted."""
    if model["status"] != "pending_close":
        return "CASH_SESSION_NOT_PENDING"
    if who == model["by"]:
        return "CASH_SAME_PERSON"
    if seen != (model["by"], model["counts"], model["count"]):
        return "CASH_COUNT_DIFFERS"
    currencies = model["due"].keys() | model["count"].keys()
    missing = {c: model["count"].get(c, 0) - model["due"].get(c, 0) for c in currencies}
    model.update(status="closed", co=who, waits=None, missing=missing)
    model["due"] = dict.fromkeys(currencies, 0)
    return None


def send_back(model: Model, number: int) -> str | None:
    if model["status"] != "pending_close":
        return "CASH_SESSION_NOT_PENDING"
    if number != model["counts"]:
        return "CASH_COUNT_DIFFERS"
    model.update(status="open", count=None, by=None, waits=None)
    return None


def acknowledge(model: Model, who: str) -> str | None:
    if model["status"] != "closed" or not any(model["missing"].values()):
        return "CASH_NOTHING_TO_ACKNOWLEDGE"
    if who in (model["by"], model["co"]):
        return "CASH_SAME_PERSON"
    model["status"] = "acknowledged"
    return None


def alarm(model: Model, hour: int) -> bool:
    """Whether the house is told now that a count waits too long."""
    if model["waits"] is None or model["told"] or hour - model["waits"] < STUCK_HOURS:
        return False
    model["told"] = True
    return True
