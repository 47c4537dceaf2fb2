"""The model's usage: events that count once, in the period in which they happened."""

from datetime import datetime, timedelta
from typing import Any, Final

from tests.trust.machine import plans

LATE: Final = timedelta(days=34)
AHEAD: Final = timedelta(minutes=5)


class Using:
    """What a group has used of its subscriptions."""

    subs: list[dict[str, Any]]
    events: dict[tuple[str, str], dict[str, Any]]

    def use(self, meter: str, name: str, quantity: int, at: datetime, now: datetime) -> str:
        """What becomes of an event: `counted`, `duplicate`, or why it is refused."""
        event, known = {"quantity": quantity, "at": at}, self.events.get((meter, name))
        if known is not None:
            return "duplicate" if known == event else "USAGE_EVENT_DIFFERS"
        if at < now - LATE:
            return "USAGE_TOO_OLD"
        if at > now + AHEAD:
            return "USAGE_IN_FUTURE"
        begun = [each for each in self.subs if each["started"] <= at]
        number = period_of(begun[-1], at) if begun else None
        if number is None:
            return "USAGE_OUTSIDE_SUBSCRIPTION"
        self.events[meter, name] = event
        none = {"quantity": 0, "billed": 0, "cents": 0}
        total = begun[-1]["used"].setdefault((number, meter), none)
        if plans.METERS[meter] == "sum":
            total["quantity"] += quantity
        else:
            total["quantity"] = max(total["quantity"], quantity)
        return "counted"

    def usage_lines(self, sub: dict[str, Any], *, ahead: bool = False) -> list[dict[str, Any]]:
        """What is left to be billed of what was used: the whole, less what was billed of it."""
        lines = []
        for (number, meter), total in unbilled(sub, ahead=ahead):
            costs = plans.used(meter, total["quantity"], terms_of(sub, number))
            if costs is not None:
                late = number < sub["number"]
                lines.append({
                    "kind": "late_usage" if late else "usage",
                    "cents": costs - total["cents"],
                    "meter": meter,
                    "quantity": total["quantity"],
                    "period": number,
                })  # fmt: skip
        return lines

    def mark_billed(self, sub: dict[str, Any], *, ahead: bool = False) -> None:
        for (number, meter), total in unbilled(sub, ahead=ahead):
            total["billed"] = total["quantity"]
            costs = plans.used(meter, total["quantity"], terms_of(sub, number))
            total["cents"] = total["cents"] if costs is None else costs


def unbilled(sub: dict[str, Any], *, ahead: bool) -> list[tuple[tuple[int, str], dict[str, Any]]]:
    return [
        (place, total)
        for place, total in sorted(sub["used"].items())
        if total["quantity"] != total["billed"] and (ahead or place[0] <= sub["number"])
    ]


def terms_of(sub: dict[str, Any], number: int) -> tuple[str, int, str]:
    """What a period ended with; of one that runs, and of those to come, what holds now."""
    found: tuple[str, int, str] = sub["closed"].get(number, sub)["terms"]
    return found


def period_of(sub: dict[str, Any], at: datetime) -> int | None:
    """In which period something happened; None behind the end."""
    if sub["canceled"] is not None and at >= sub["canceled"]:
        return None
    if at < sub["start"]:
        return max(number for number, each in sub["closed"].items() if each["start"] <= at)
    number: int = sub["number"]
    if at < sub["end"] or sub["status"] not in ("active", "past_due"):
        return number
    months, interval, end = sub["months"], (sub["next"] or sub["terms"])[2], sub["end"]
    while at >= end:
        months += plans.MONTHS[interval]
        number, end = number + 1, plans.boundary(sub["anchor"], months, sub["zone"])
    return None if sub["last"] is not None and number > sub["last"] else number
