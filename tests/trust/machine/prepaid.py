"""The model's prepaid credits: lots that are spent in their turn, and every sum exact to the micro.

Nothing expires here. A gift is spent before what was bought, then what was granted first; what
moves to another account stays a part of its grant. A bill takes credits at its group's rate, and a
refund brings them back to where they were taken, the last taken first. Money of a purchase that
goes back takes its credits wherever they lie; what is not there any more is a debt, which is paid
by what is bought, and by what comes back of what was bought.
"""

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from tests.trust.machine import folio as folios
from tests.trust.machine.expected import MICRO, Command, Expected, Told, amount_of, refused
from tests.trust.machine.folio import Folio, half_away
from tests.trust.machine.hotels import CREDITS, Settings
from tests.trust.machine.refunds import Refunds

MAIN: Final = "main"
CREDIT: Final = 1_000_000
LEAST, MOST, ROOM = 500 * CREDIT, 100_000 * CREDIT, 1_000_000 * CREDIT
PRIORITY: Final = {"promotion": 0, "renewal": 20, "purchase": 30}
Account = dict[str, Any]
Lot = dict[str, Any]


def free(lot: Lot) -> int:
    return int(lot["left"] - lot["held"])


def in_turn(account: Account) -> list[Lot]:
    return sorted(account["lots"], key=lambda lot: (PRIORITY[lot["source"]], lot["id"]))


def over(account: Account, now: datetime) -> list[dict[str, Any]]:
    """The holds that have ended by themselves, and are not written down as ended."""
    return [each for each in account["holds"] if each["open"] and each["until"] <= now]


def held(account: Account, now: datetime) -> int:
    let_go = sum(part for each in over(account, now) for _, part in each["shares"])
    return int(sum(lot["held"] for lot in account["lots"]) - let_go)


def available(account: Account, now: datetime) -> int:
    return int(sum(lot["left"] for lot in account["lots"]) - held(account, now))


def shown(account: Account, now: datetime) -> dict[str, Any]:
    """What is there, as every answer about an account says it."""
    return {
        "account": account["name"],
        "availableMicro": available(account, now),
        "heldMicro": held(account, now),
        "debtMicro": account["debt"],
        "version": account["version"],
    }


def spread(account: Account, micro: int) -> list[tuple[Lot, int]]:
    """Which lots an amount takes, and how much of each."""
    taken = []
    for lot in in_turn(account):
        part = min(micro, free(lot))
        if part > 0:
            taken.append((lot, part))
            micro -= part
    assert micro == 0
    return taken


def end_holds(account: Account, now: datetime) -> bool:
    """Free what holds have held that are over; whether there was one."""
    ended = over(account, now)
    for hold in ended:
        let_go(hold)
    return bool(ended)


def let_go(hold: dict[str, Any]) -> None:
    hold["open"] = False
    for lot, part in hold["shares"]:
        lot["held"] -= part


def put(account: Account, root: str, source: str, micro: int, lot_id: str | None = None) -> Lot:
    """Bring credits of a grant to an account: to the lot that it has of it, or a new one."""
    lot = next((each for each in account["lots"] if each["root"] == root), None)
    if lot is None:
        lot = {"id": lot_id, "root": root, "source": source, "left": 0, "held": 0}
        account["lots"].append(lot)
    lot["left"] += micro
    return lot


def pay_debt(account: Account, lot: Lot, micro: int) -> None:
    """What was bought pays what is owed."""
    if lot["source"] == "purchase":
        paid = min(account["debt"], micro)
        lot["left"] -= paid
        account["debt"] -= paid


OF_THE_HOTEL: Final = "platform_bills"
"""For what a card is left that credits are bought with."""


def of_the_hotel(kind: str) -> str:
    """The name of a card that behaves so and buys credits, beside the guests' one."""
    return f"{kind} of the hotel"


class Prepaid(Refunds):
    """The accounts of credits of a group."""

    def __init__(self, number: int, settings: Settings) -> None:
        super().__init__(number, settings)
        self.accounts: dict[str, Account] = {}
        self.holds: dict[str, tuple[Account, dict[str, Any]]] = {}
        self.purchases: list[dict[str, Any]] = []
        self.cards: dict[str, str] = {}
        self.rate: int = CREDITS[number]["perCurrencyUnit"]
        self.money: str = CREDITS[number]["currency"]

    def account(self, name: str) -> Account | None:
        """An account; the main one is there before its first credits."""
        found = self.accounts.get(name)
        return self._opened(name) if found is None and name == MAIN else found

    def _opened(self, name: str) -> Account:
        """An account without anything, which nobody knows of yet."""
        return self.accounts.get(name) or {
            "name": name, "id": None, "version": 0, "debt": 0, "lots": [], "holds": []
        }  # fmt: skip

    def _moved(self, kind: str, *accounts: Account, status: int = 201) -> Expected:
        """What accounts tell that have moved, each its own."""
        events: list[Callable[[], Told]] = []
        for account in accounts:
            self.accounts[account["name"]] = account
            account["version"] += 1
            events.append(_credit_fact(kind, account))
        return Expected(status, events=events, credits=accounts)

    # grants and purchases

    def _grant_credits(self, asked: Command, now: datetime) -> Expected:
        body = asked.body
        account = self._opened(body["account"])
        if sum(lot["left"] for lot in account["lots"]) + body["creditsMicro"] > ROOM:
            return refused("CREDIT_BALANCE_LIMIT")
        end_holds(account, now)
        put(account, f"grant:{body['id']}", "promotion", body["creditsMicro"], body["id"])
        return self._moved("credits.granted", account)

    def _purchase_credits(self, asked: Command, now: datetime) -> Expected:
        """By a card that pays, or is declined: both are answered, and stand."""
        body, micro = asked.body, asked.body["creditsMicro"]
        account = self.account(body["account"])
        if account is None:
            return Expected(404, "CREDIT_ACCOUNT_UNKNOWN")
        if micro < LEAST:
            return refused("CREDIT_PURCHASE_TOO_SMALL")
        if micro > MOST:
            return refused("CREDIT_PURCHASE_TOO_LARGE")
        if sum(lot["left"] for lot in account["lots"]) + micro > ROOM:
            return refused("CREDIT_BALANCE_LIMIT")
        self.accounts[account["name"]] = account
        paid = body["paymentMethodId"] != self.cards.get(of_the_hotel("sandbox_declined"))
        unit = MICRO[self.money]
        cost = half_away(Fraction(micro * 10**6, self.rate * CREDIT * unit)) * unit
        purchase = {
            "id": body["id"],
            "account": account,
            "micro": micro,
            "cost": cost,
            "status": "succeeded" if paid else "failed",
            "back": 0,
            "asked": 0,
        }
        self.purchases.append(purchase)
        told = [("confirmed", 1), ("succeeded" if paid else "failed", 2)]
        events = [_purchase_fact(what, purchase, number) for what, number in told]
        said = {
            "status": purchase["status"],
            "creditsMicro": micro,
            "amount": {"amountMicro": cost, "currency": self.money},
        }
        if not paid:
            return Expected(201, events=events, credits=(account,), said=said)
        end_holds(account, now)
        lot = put(account, f"purchase:{body['id']}", "purchase", micro)
        pay_debt(account, lot, micro)
        granted = self._moved("credits.granted", account)
        return Expected(201, events=events + granted.events, credits=(account,), said=said)

    def goes_back(self, purchase: dict[str, Any], money_micro: int, now: datetime) -> None:
        """The processor tells that so much of a purchase's money went back there."""
        purchase["back"] += money_micro
        due = purchase["micro"] * purchase["back"] // purchase["cost"]
        missing = due - purchase["asked"]
        if missing <= 0:
            return
        purchase["asked"] = due
        for account in sorted(self.accounts.values(), key=lambda each: str(each["id"])):
            moved, before = end_holds(account, now), missing
            for lot in account["lots"]:
                part = min(missing, free(lot)) if lot["root"].endswith(purchase["id"]) else 0
                lot["left"] -= part
                missing -= part
            purchase.setdefault("took", {})[account["name"]] = moved or missing < before
        purchase["account"]["debt"] += missing
        for account in sorted(self.accounts.values(), key=lambda each: str(each["id"])):
            owes = missing and account is purchase["account"]
            if purchase["took"].pop(account["name"]) or owes:
                self.told += self._moved("credits.clawed_back", account).events

    # spending

    def _payer(self, name: str, micro: int, now: datetime) -> Account | Expected:
        account = self.account(name)
        if account is None:
            return Expected(404, "CREDIT_ACCOUNT_UNKNOWN")
        if micro > available(account, now):
            return Expected(402, "INSUFFICIENT_CREDITS")
        return account

    def _deduct_credits(self, asked: Command, now: datetime) -> Expected:
        micro = asked.body["creditsMicro"]
        account = self._payer(asked.body["account"], micro, now)
        if isinstance(account, Expected):
            return account
        end_holds(account, now)
        for lot, part in spread(account, micro):
            lot["left"] -= part
        moved = self._moved("credits.deducted", account)
        moved.said = shown(account, now)
        return moved

    def _transfer_credits(self, asked: Command, now: datetime) -> Expected:
        body, micro = asked.body, asked.body["creditsMicro"]
        if body["fromAccount"] == body["toAccount"]:
            return refused("CREDIT_TRANSFER_SAME_ACCOUNT")
        source, target = self.accounts.get(body["fromAccount"]), self._opened(body["toAccount"])
        if source is None:
            return Expected(404, "CREDIT_ACCOUNT_UNKNOWN")
        if micro > available(source, now):
            return Expected(402, "INSUFFICIENT_CREDITS")
        if sum(lot["left"] for lot in target["lots"]) + micro > ROOM:
            return refused("CREDIT_BALANCE_LIMIT")
        end_holds(source, now)
        end_holds(target, now)
        for lot, part in spread(source, micro):
            lot["left"] -= part
            put(target, lot["root"], lot["source"], part)
        return self._moved("credits.transferred", source, target)

    def _hold_credits(self, asked: Command, now: datetime) -> Expected:
        body, micro = asked.body, asked.body["creditsMicro"]
        account = self._payer(body["account"], micro, now)
        if isinstance(account, Expected):
            return account
        end_holds(account, now)
        shares = spread(account, micro)
        for lot, part in shares:
            lot["held"] += part
        until = now + timedelta(seconds=body["lastsSeconds"])
        hold = {"micro": micro, "shares": shares, "until": until, "open": True}
        account["holds"].append(hold)
        self.holds[body["id"]] = account, hold
        moved = self._moved("credits.held", account)
        moved.said = shown(account, now)
        return moved

    def _capture_credits(self, asked: Command, now: datetime) -> Expected:
        found, micro = self._open_hold(asked, now), asked.body["creditsMicro"]
        if isinstance(found, Expected):
            return found
        account, hold = found
        if micro > hold["micro"]:
            return refused("CAPTURE_EXCEEDS_HOLD")
        end_holds(account, now)
        for lot, part in hold["shares"]:
            lot["left"] -= min(micro, part)
            micro -= min(micro, part)
        let_go(hold)
        moved = self._moved("credits.captured", account, status=200)
        moved.said = shown(account, now)
        return moved

    def _release_credits(self, asked: Command, now: datetime) -> Expected:
        found = self._open_hold(asked, now)
        if isinstance(found, Expected):
            return found
        account, hold = found
        end_holds(account, now)
        let_go(hold)
        moved = self._moved("credits.released", account, status=200)
        moved.said = shown(account, now)
        return moved

    def _open_hold(
        self, asked: Command, now: datetime
    ) -> tuple[Account, dict[str, Any]] | Expected:
        known = self.holds.get(asked.path.split("/")[3])
        if known is None:
            return Expected(404, "CREDIT_HOLD_UNKNOWN")
        if not known[1]["open"] or known[1]["until"] <= now:
            return Expected(409, "CREDIT_HOLD_ENDED")
        return known

    # bills

    def pay(self, found: Folio, body: dict[str, Any], now: datetime) -> Expected:
        """Of credits a payment takes as many as the rate says, and all of them or none."""
        if body["method"] != "credits":
            return super().pay(found, body, now)
        if body.get("creditAccount") is None:
            return refused("CREDIT_ACCOUNT_MISSING")
        amount, currency = amount_of(body["amount"])
        if currency != self.money:
            return refused("CURRENCY_MISMATCH")
        account = self.account(body["creditAccount"])
        if account is None:
            return Expected(404, "CREDIT_ACCOUNT_UNKNOWN")
        micro = body["amount"]["amountMicro"] * self.rate
        if micro > available(account, now):
            trial = {"credit": body.get("allowCredit", False), "method": "credits"}
            given = {**trial, "amount": amount, "currency": currency, "processor": None}
            day = self.day(found["house"], now)
            code = folios.pay(copy.deepcopy(found), given, self.settings.residual, day)
            return refused(code) if code else Expected(402, "INSUFFICIENT_CREDITS")
        paid = super().pay(found, body, now)
        if not paid.succeeds:
            return paid
        end_holds(account, now)
        took = {}
        for lot, part in spread(account, micro):
            lot["left"] -= part
            took[lot["root"]] = part
        found["paid"][-1] |= {"account": account["name"], "took": took}
        moved = self._moved("credits.redeemed", account)
        paid.events[:0], paid.credits = moved.events, moved.credits
        return paid

    def _refund_payment(self, asked: Command, now: datetime) -> Expected:
        """What comes back of credits comes back to their lots; who owes, pays with it."""
        back = super()._refund_payment(asked, now)
        if back.folio is None:
            return back
        paid = back.folio["paid"][back.folio["refunds"][-1]["paid"]]
        if "took" not in paid:
            return back
        account = self.accounts[paid["account"]]
        end_holds(account, now)
        micro, owed = asked.body["amount"]["amountMicro"] * self.rate, []
        for lot in reversed(in_turn(account)):
            part = min(micro, paid["took"].get(lot["root"], 0))
            if part > 0:
                lot["left"] += part
                paid["took"][lot["root"]] -= part
                micro -= part
                owed.append((lot, part))
        for lot, part in owed:
            pay_debt(account, lot, part)
        moved = self._moved("credits.restored", account)
        back.events[:0], back.credits = moved.events, moved.credits
        return back


def _credit_fact(kind: str, account: Account) -> Callable[[], Told]:
    number = account["version"]
    return lambda: (kind, account["id"], number)


def _purchase_fact(what: str, purchase: dict[str, Any], number: int) -> Callable[[], Told]:
    return lambda: (f"credit_purchase.{what}", purchase["id"], number)
