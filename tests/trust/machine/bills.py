"""The model's subscriptions: what the platform bills a group, in cents, and what came of each.

Dictionaries, integers and fractions; nothing of the code under test. A method does to the model
what the command or the job does, and returns the code of the refusal where it is refused. What is
owed is what the invoices say: so every account of the platform's books is a sum over them.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from tests.trust.machine import collecting, prepaid, setting_off, using
from tests.trust.machine.folio import Fraction, half_away
from tests.trust.machine.plans import MONTHS, PLANS, boundary, cost, fee, share
from tests.trust.machine.prepaid import Prepaid

Sub = dict[str, Any]
Invoice = dict[str, Any]
Terms = tuple[str, int, str]  # plan, seats, interval
RUNNING: Final = ("active", "past_due")
QUOTE_SECONDS: Final = 900
COMMITTED: Final = 12
STATE_REFUSES, NOT_BILLED = "SUBSCRIPTION_STATE_REFUSES", "SUBSCRIPTION_PERIOD_NOT_BILLED"
BINDS, UNCHANGED = "COMMITMENT_BINDS", "SUBSCRIPTION_UNCHANGED"


class Platform(collecting.Collecting, using.Using):
    """What the platform has with one group; `group` keeps the credits that its periods bring."""

    def __init__(self, group: Prepaid, rate: Fraction) -> None:
        self.group = group
        self.rate = rate
        self.subs: list[Sub] = []
        self.invoices: list[Invoice] = []
        self.events: dict[tuple[str, str], dict[str, Any]] = {}
        self.told: Counter[str] = Counter()

    @property
    def last(self) -> Sub | None:
        """The subscription that stands, or stood last."""
        return self.subs[-1] if self.subs else None

    # the staff's commands

    def subscribe(
        self, sub_id: str, terms: Terms, zone: str, committed: bool, card: str | None, now: datetime
    ) -> str:
        if self.last and self.last["status"] != "canceled":
            return "SUBSCRIPTION_EXISTS"
        if committed and terms[2] == "year":
            return BINDS
        if card == collecting.GUESTS:
            return collecting.FOR_STAYS
        sub: Sub = {
            "id": sub_id,
            "status": "active",
            "zone": zone,
            "terms": terms,
            "next": None,
            "started": now,
            "anchor": now,
            "months": 0,
            "number": 0,
            "start": now,
            "end": now,
            "credit": 0,
            "committed": COMMITTED if committed else 0,
            "last": None,
            "paused": None,
            "canceled": None,
            "version": 0,
            "closed": {},
            "used": {},
            "granted": 0,
            "collection": None,
            "charges": [],
        }
        had = sum(each["granted"] for each in self.subs if each["end"] > now)
        self.subs.append(sub)
        if card is not None:
            sub["collection"] = collecting.begun(card)
        self.tell(sub, "created")
        self.begin(sub, now, [], now, had)
        return ""

    def change(self, terms: Terms, now: datetime, quote: dict[str, Any] | None = None) -> str:
        """At once, or at the second of its quote; the interval with the next period."""
        sub = self.last
        if sub is None:
            return "SUBSCRIPTION_UNKNOWN"
        if refusal := self.stands_still(sub, now):
            return refusal
        at = now
        if quote is not None:
            if (now - quote["at"]).total_seconds() >= QUOTE_SECONDS:
                return "QUOTE_EXPIRED"
            if quote["sub"] is not sub or quote["terms"] != terms:
                return "QUOTE_DIFFERS"
            if quote["version"] != sub["version"]:
                return "QUOTE_STALE"
            at = quote["at"]
        if refusal := self.keeps_from(sub, terms):
            return refusal
        lines = self.change_lines(sub, terms, at)
        if quote is not None and quote["off"] != self.foreseen(sub, lines):
            return "QUOTE_STALE"
        at_once = (*terms[:2], sub["terms"][2])
        if lines:
            left = int((sub["end"] - at).total_seconds())
            sub["fees"] = [*(each for each in sub["fees"] if each[0] > left), (left, fee(at_once))]
        sub["terms"], sub["next"] = at_once, terms if terms != at_once else None
        self.tell(sub, "changed")
        if lines:
            self.bill(sub, "change", lines, sub["rate"], now)
        return ""

    def keeps_from(self, sub: Sub, terms: Terms) -> str:
        """Why terms are not to be had."""
        at_once = (*terms[:2], sub["terms"][2])
        following = terms if terms != at_once else None
        if (at_once, following) == (sub["terms"], sub["next"]):
            return UNCHANGED
        if self.is_bound(sub) and (following or fee(at_once) < fee(sub["terms"])):
            return BINDS
        return ""

    def change_lines(self, sub: Sub, terms: Terms, now: datetime) -> list[dict[str, Any]]:
        """What is taken back of the period, and asked for the rest of it."""
        at_once, before = (*terms[:2], sub["terms"][2]), fee(sub["terms"])
        if fee(at_once) == before:
            return []
        left, whole = int((sub["end"] - now).total_seconds()), sub["seconds"]
        fees = [*(each for each in sub["fees"] if each[0] > left), (left, fee(at_once))]
        unused = -share(before, left, whole)
        rest = cost(fees, whole) - cost(sub["fees"], whole) - unused
        return [line("unused", unused), line("rest_of_period", rest)]

    def cancel(self, at_once: bool, now: datetime) -> str:
        sub = self.last
        if sub is None:
            return "SUBSCRIPTION_UNKNOWN"
        bound = self.is_bound(sub)
        if at_once and bound:
            return BINDS
        if at_once:
            if sub["status"] == "canceled":
                return STATE_REFUSES
            self.end(sub, now, now, self.usage_lines(sub, ahead=True), ahead=True)
            return ""
        if refusal := self.stands_still(sub, now):
            return refusal
        sub["last"] = sub["committed"] if bound else sub["number"]
        if not bound:
            sub["committed"] = min(sub["committed"], sub["number"])
        self.tell(sub, "cancellation_scheduled")
        return ""

    def pause(self, now: datetime) -> str:
        sub = self.last
        if sub is None:
            return "SUBSCRIPTION_UNKNOWN"
        if refusal := self.stands_still(sub, now):
            return refusal
        if sub["status"] != "active":
            return STATE_REFUSES
        sub["status"], sub["paused"] = "paused", now
        self.tell(sub, "paused")
        return ""

    def resume(self, now: datetime) -> str:
        """What was left is left, and later periods follow its end."""
        sub = self.last
        if sub is None:
            return "SUBSCRIPTION_UNKNOWN"
        if sub["status"] != "paused":
            return STATE_REFUSES
        if now > sub["paused"]:
            sub["end"] += now - sub["paused"]
            sub["anchor"], sub["months"] = sub["end"], 0
        sub["status"], sub["paused"] = "active", None
        self.tell(sub, "resumed")
        return ""

    def reactivate(self, now: datetime) -> str:
        sub = self.last
        if sub is None:
            return "SUBSCRIPTION_UNKNOWN"
        if sub["status"] != "suspended" or self.has_ended(sub, now):
            return STATE_REFUSES
        self.forgive(sub, now)
        self.serve_again(sub, now)
        return ""

    def cycle_by_hand(self, now: datetime, force: bool) -> str:
        sub = self.last
        if sub is None:
            return "SUBSCRIPTION_UNKNOWN"
        if sub["status"] not in (*RUNNING, "suspended" if force else ""):
            return STATE_REFUSES
        if now < sub["end"]:
            return "SUBSCRIPTION_NOTHING_DUE"
        self.renew(sub, now)
        return ""

    # what time does

    def cycle(self, now: datetime) -> int:
        """The job: every period that is over, in its turn."""
        done, sub = 0, self.last
        while sub is not None and sub["status"] in RUNNING and sub["end"] <= now:
            self.renew(sub, now)
            done += 1
        return done

    def renew(self, sub: Sub, now: datetime) -> None:
        """The next period, or the end behind the last one that was wanted."""
        lines = self.usage_lines(sub)
        if self.has_ended(sub, now):
            self.end(sub, sub["end"], now, lines)
            return
        self.tell(sub, "renewed")
        self.begin(sub, sub["end"], lines, now)

    def begin(
        self, sub: Sub, start: datetime, usage: list[dict[str, Any]], now: datetime, had: int = 0
    ) -> None:
        """A period begins, with its bill and its credits."""
        if sub["number"]:
            self.mark_billed(sub)
            sub["closed"][sub["number"]] = {"start": sub["start"], "terms": sub["terms"]}
        sub["terms"], sub["next"] = sub["next"] or sub["terms"], None
        plan, _, interval = sub["terms"]
        sub["months"] += MONTHS[interval]
        sub["number"] += 1
        sub["start"], sub["end"] = start, boundary(sub["anchor"], sub["months"], sub["zone"])
        sub["seconds"] = int((sub["end"] - start).total_seconds())
        sub["fees"] = [(sub["seconds"], fee(sub["terms"]))]
        sub["rate"] = self.rate
        sub["granted"] = max(PLANS[plan]["credits"] * MONTHS[interval] - had, 0)
        self.grant(sub, now)
        self.bill(sub, "period", [line("plan_fee", fee(sub["terms"])), *usage], self.rate, now)

    def grant(self, sub: Sub, now: datetime) -> None:
        if not sub["granted"]:
            return
        account = self.group._opened(prepaid.MAIN)
        prepaid.end_holds(account, now)
        root = f"renewal:{sub['id']}:{sub['start'].isoformat()}"
        prepaid.put(account, root, "renewal", sub["granted"])
        self.group.told += self.group._moved("credits.granted", account).events

    def end(
        self,
        sub: Sub,
        at: datetime,
        now: datetime,
        usage: list[dict[str, Any]],
        *,
        ahead: bool = False,
    ) -> None:
        """It is canceled as of `at`; what was used until then is billed."""
        sub["status"], sub["canceled"] = "canceled", at
        sub["committed"] = min(sub["committed"], sub["number"])
        self.tell(sub, "canceled")
        self.mark_billed(sub, ahead=ahead)
        if usage:
            self.bill(sub, "usage", usage, self.rate, now)
        if not usage or not self.invoices[-1]["due"]:
            self.collect_the_rest(sub, now)

    def serve_again(self, sub: Sub, now: datetime) -> None:
        """What was not served is not billed: behind its end a period of its own begins now."""
        sub["status"] = "active"
        self.tell(sub, "reactivated")
        if now >= sub["end"]:
            sub["anchor"], sub["months"] = now, 0
            self.begin(sub, now, self.usage_lines(sub), now)

    def bill_late_usage(self, now: datetime) -> int:
        """Behind 34 days and five minutes nothing more can be told of what has ended."""
        ended = [each for each in self.subs if self.is_late(each, now)]
        for sub in sorted(ended, key=lambda each: str(each["id"])):
            lines = self.usage_lines(sub)
            self.mark_billed(sub)
            if lines:
                sub["version"] += 1
                self.bill(sub, "late_usage", lines, self.rate, now)
                if not self.invoices[-1]["due"]:
                    self.collect_the_rest(sub, now)
        return len(ended)

    def is_late(self, sub: Sub, now: datetime) -> bool:
        if sub["canceled"] is None or now - sub["canceled"] < timedelta(days=34, minutes=5):
            return False
        return any(total["quantity"] != total["billed"] and number <= sub["number"]
                   for (number, _), total in sub["used"].items())  # fmt: skip

    # bills

    def bill(
        self, sub: Sub, purpose: str, lines: list[dict[str, Any]], rate: Fraction, now: datetime
    ) -> None:
        """Lines and their tax, set off against the credit; what is below nothing is a credit."""
        net, tax, brought, carried = came_to(sub, lines, rate)
        found = self.sets_off(sub, carried - brought)
        sub["credit"] += carried - brought
        invoice = {
            "id": None,
            "sub": sub,
            "purpose": purpose,
            "number": sub["number"],
            "lines": lines,
            "net": net,
            "tax": tax,
            "brought": brought,
            "carried": carried,
            "due": net + tax - brought + carried,
            "off": 0,
            "pays": found,
            "issued": now,
            "paid": False,
            "lost": False,
        }
        self.invoices.append(invoice)
        self.told["subscription_invoice.issued"] += 1
        if invoice["due"]:
            self.owe(sub, now)
        if found:
            self.set_off(sub, found, now)

    def sets_off(self, sub: Sub, more: int) -> setting_off.Shares:
        """What of its open bills the credit pays, which is to be so much more."""
        return setting_off.shares(sub["credit"] + more, self.open_of(sub))

    def foreseen(self, sub: Sub, lines: list[dict[str, Any]]) -> list[tuple[str, int]]:
        """Which bills a change would set off, and how much of each."""
        if not lines:
            return []
        _, _, brought, carried = came_to(sub, lines, sub["rate"])
        return [(each["id"], cents) for each, cents in self.sets_off(sub, carried - brought)]

    def next_bill(self, sub: Sub) -> tuple[int, int] | None:
        """What the end of the period will bring: the total, and what of it is due."""
        usage = self.usage_lines(sub)
        is_last = sub["last"] is not None and sub["number"] >= sub["last"]
        if sub["status"] not in RUNNING or (is_last and not usage):
            return None
        net = sum(each["cents"] for each in usage)
        net += 0 if is_last else fee(sub["next"] or sub["terms"])
        total = net + half_away(net * self.rate)
        return total, max(total - sub["credit"], 0)

    def accounts(self) -> dict[str, int]:
        """What stands in each account of the platform's books, debits above zero."""
        sums: Counter[str] = Counter()
        for each in self.invoices:
            sums["subscription_revenue"] -= each["net"]
            sums["vat_payable"] -= each["tax"]
            sums["customer_credit"] += each["brought"] - each["carried"] + each["off"]
            state = "processor_clearing" if each["paid"] else "receivable"
            lost = each["lost"] and not each["paid"]
            sums["bad_debt" if lost else state] += setting_off.left(each)
        return {name: cents for name, cents in sums.items() if cents}

    # words

    def tell(self, sub: Sub, what: str) -> None:
        sub["version"] += 1
        self.told[f"subscription.{what}"] += 1

    def stands_still(self, sub: Sub, now: datetime) -> str:
        """Why nothing can be reckoned in its period."""
        if sub["status"] not in RUNNING:
            return STATE_REFUSES
        return NOT_BILLED if now >= sub["end"] else ""

    def is_bound(self, sub: Sub) -> bool:
        return sub["status"] != "canceled" and sub["number"] < sub["committed"]

    def has_ended(self, sub: Sub, now: datetime) -> bool:
        return sub["last"] is not None and sub["number"] >= sub["last"] and now >= sub["end"]


def came_to(sub: Sub, lines: list[dict[str, Any]], rate: Fraction) -> tuple[int, int, int, int]:
    """Net, tax, what the credit pays of both, and what of them is a credit."""
    net = sum(each["cents"] for each in lines)
    tax = half_away(net * rate)
    return net, tax, max(min(sub["credit"], net + tax), 0), max(-net - tax, 0)


def line(kind: str, cents: int, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "cents": cents, "meter": None, "quantity": None, "period": None, **more}
