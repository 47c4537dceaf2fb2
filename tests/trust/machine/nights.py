"""The model's nights: what a stay was promised at, charged once a night; days that end in order.

Who has come pays every night up to the date that is audited and was not charged yet; who has not
is marked as a no-show, and pays nothing here, until he comes after all. A folio that is closed is
charged nothing: so who leaves before the audit pays as it closes, and who comes to it waits. A
property's day ends when nobody is left to be charged for it.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

from tests.trust.machine import folio as folios
from tests.trust.machine.books import Books
from tests.trust.machine.expected import Event, amount_of, fact
from tests.trust.machine.folio import Folio
from tests.trust.machine.hotels import REGIMES, House

GRACE: Final = timedelta(minutes=10)
DAY: Final = timedelta(days=1)
Item = tuple[str, date, str | None]
"""A property, a date, and the folio that is to be charged; without one, the end of the day."""


class Nights(Books):
    """The stays of a group, and its days that have ended."""

    # stays

    def _on_reservation_confirmed(
        self, data: dict[str, Any], told: tuple[str, str], now: datetime, pen: str
    ) -> str | None:
        if self.settings.eager:
            return self._plan(data, told, now, arrived=False)
        self.taken.add(told)
        return None

    def _on_reservation_checked_in(
        self, data: dict[str, Any], told: tuple[str, str], now: datetime, pen: str
    ) -> str | None:
        return self._plan(data, told, now, arrived=True)

    def _plan(
        self, data: dict[str, Any], told: tuple[str, str], now: datetime, *, arrived: bool
    ) -> str | None:
        """Open the reservation's folio and plan its stay, once; anew when the guest comes."""
        if data["departure"] < data["arrival"]:
            return "STAY_INVALID"
        house = next((each for each in self.houses if each["id"] == data["propertyId"]), None)
        if house is None:
            return "PROPERTY_UNKNOWN"
        known = self.reserved(house, data["reservationId"], "guest")
        currency = known["currency"] if known else house["currency"]
        for night in data["nights"]:
            if not data["arrival"] <= night["night"] < data["departure"]:
                return "NIGHT_OUTSIDE_STAY"
            if night["price"]["currency"] != currency:
                return "CURRENCY_MISMATCH"
        if arrived and known and self._is_missed(known, data):
            return "FOLIO_CLOSED"
        opened = self.open(house, data, now)
        self.told += opened.events
        assert opened.folio is not None
        self._stay(opened.folio, data, arrived=arrived)
        self.taken.add(told)
        return None

    def _is_missed(self, folio: Folio, data: dict[str, Any]) -> bool:
        """Whether a guest comes whose folio was closed before, and would be charged no night."""
        stay = folio["stay"]
        if folio["open"] or (stay and stay["arrived"]):
            return False
        first, last = (date.fromisoformat(data[at]) for at in ("arrival", "departure"))
        known = stay["nights"] if stay else {}
        return bool(data["nights"]) or any(first <= on < last for on in known)

    def slept(self, found: Folio, now: datetime) -> list[Event]:
        stay, day = found["stay"], self.day(found["house"], now)
        if stay is None or not stay["arrived"]:
            return []
        told = []
        for night, planned in sorted(stay["nights"].items()):
            if night < (now + found["house"]["ahead"]).date() and not planned["done"]:
                planned["done"] = True
                told.append(self._charge_night(found, night, planned, day))
        return told

    def _stay(self, folio: Folio, data: dict[str, Any], *, arrived: bool) -> None:
        planned = {
            date.fromisoformat(each["night"]): {"price": amount_of(each["price"]), "done": False}
            for each in data["nights"]
        }
        stay = folio["stay"]
        if stay is None:
            folio["stay"] = {
                "arrival": date.fromisoformat(data["arrival"]),
                "departure": date.fromisoformat(data["departure"]),
                "arrived": arrived,
                "nights": planned,
                "no_show_on": None,
                "late": None,
            }
        elif arrived:
            was_here, stay["arrived"] = stay["arrived"], True
            charged = {on: each for on, each in stay["nights"].items() if each["done"]}
            arrival, departure = (date.fromisoformat(data[at]) for at in ("arrival", "departure"))
            stay["arrival"] = min([arrival, *charged])
            stay["departure"] = max([departure, *(on + DAY for on in charged)])
            if was_here and folio["open"] and stay["late"] and stay["departure"] > stay["late"]:
                stay["late"] = None
            known = {
                on: each
                for on, each in (planned or stay["nights"]).items()
                if stay["arrival"] <= on < stay["departure"]
            }
            stay["nights"] = {**known, **charged}

    # night audits

    def next_day(self, house: House, now: datetime, until: date) -> date | None:
        """The next date of a property that is over and was not audited."""
        ended = min(self.day(house, now - GRACE) - DAY, until)
        audited = [on for place, on in self.days if place == house["id"]]
        following = max(audited) + DAY if audited else ended
        return following if following <= ended else None

    def has_ended(self, then: datetime) -> bool:
        """Whether what is posted at a moment would belong to a day that was ended."""
        return any((house["id"], self.day(house, then)) in self.days for house in self.houses)

    def audit_nights(self, now: datetime, until: date) -> list[Item]:
        """Charge and end what is over, round by round; what was done, in its order."""
        done: list[Item] = []
        while fresh := [each for each in self._round(now, until) if each not in done]:
            for item in fresh:
                self._audit(item)
            done += fresh
        return done

    def _round(self, now: datetime, until: date) -> Iterator[Item]:
        """What is due at each property: its folios, or else the end of its day."""
        for house in self.houses:
            on = self.next_day(house, now, until)
            if on is None:
                continue
            due = sorted(each["id"] for each in self.folios if _is_due(each, house, on))
            yield from ((house["id"], on, each) for each in due or [None])

    def _audit(self, item: Item) -> None:
        place, on, folio_id = item
        if folio_id is None:
            self._end_day(place, on)
            return
        (folio,) = (each for each in self.folios if each["id"] == folio_id)
        stay = folio["stay"]
        if not stay["arrived"]:
            stay["no_show_on"] = stay["no_show_on"] or on
            return
        for night, planned in sorted(stay["nights"].items()):
            if night <= on and not planned["done"]:
                planned["done"] = True
                self.told.append(self._charge_night(folio, night, planned, on))
        stay["late"] = stay["late"] or (on if on >= stay["departure"] else None)

    def _charge_night(self, folio: Folio, night: date, planned: dict[str, Any], on: date) -> Event:
        amount, currency = planned["price"]
        asked = {"kind": "room", "price": amount, "currency": currency, "nights": 1}
        asked |= {"window": None, "wrong": False, "service": night}
        taxes, per_invoice = REGIMES[self.settings.regime], self.settings.per_invoice
        assert folios.charge(folio, asked, taxes, per_invoice, on) is None
        return fact("charge.posted", folio, folio["version"])

    def _end_day(self, place: str, on: date) -> None:
        """Write down what the day came to, and who was in the house, or did not come."""
        here = [each for each in self.folios if each["house"]["id"] == place]
        moved: dict[str, int] = {}
        for folio in here:
            for line in folio["lines"]:
                if line["day"] == on:
                    currency = folio["currency"]
                    moved[currency] = moved.get(currency, 0) + line["amount"] * folio["micro"]
        stays = [each for each in here if each["stay"] and each["stay"]["arrival"] <= on]
        ended = {
            "id": None,
            "moved": {currency: micro for currency, micro in moved.items() if micro},
            "in_house": sum(each["open"] and each["stay"]["arrived"] for each in stays),
            "no_shows": sum(each["stay"]["no_show_on"] == on for each in stays),
        }
        self.days[place, on] = ended
        self.told.append(lambda: ("night_audit.finished", ended["id"], 1))


def _is_due(folio: Folio, house: House, on: date) -> bool:
    """Whether a night audit of the date has something to do with a folio."""
    stay = folio["stay"]
    if folio["house"]["id"] != house["id"] or not folio["open"]:
        return False
    if stay is None or stay["arrival"] > on:
        return False
    if not stay["arrived"]:
        return stay["no_show_on"] is None
    late = stay["departure"] <= on and not stay["late"]
    return late or any(night <= on and not each["done"] for night, each in stay["nights"].items())
