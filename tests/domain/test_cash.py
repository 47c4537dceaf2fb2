"""A drawer's session from its float to its closing, decided without a database (CASH-1 to CASH-8).

Karim counts, Laila confirms, Farid explains; the float is 100.00.
"""

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from common.domain import cash_close
from common.domain.cash import STUCK_AFTER, CashSession, Confirmed, SessionNotOpen, SessionStatus
from common.domain.cash_close import (
    CountDiffers,
    NothingToAcknowledge,
    SamePerson,
    SessionNotPending,
    SessionNotStuck,
)
from common.domain.cash_count import Count, CurrencyCount
from common.domain.cash_drawer import CashDrawer, DrawerFrozen, ReasonMissing
from common.domain.cash_movement import CashMovement, MovementKind
from common.domain.identifiers import CashDrawerId, CashMovementId
from common.domain.ledger import cash_in
from common.domain.money import AmountNotPositive, Currency, Money
from tests.domain.front_desk import EUR, KABUL, TILL, USD, Desk, house, settings_of, usd

DRAWER = CashDrawerId("cdr_01K9ZQ0M8Y" + "0" * 16)
DUE = (usd(10_000),)


def counted(*amounts: Money) -> Count:
    return Count(tuple(CurrencyCount(amount) for amount in amounts))


class Drawer:
    """A drawer in Kabul with a session, and short ways to count it."""

    def __init__(
        self, *, thresholds: dict[Currency, Money] | None = None, desk: Desk | None = None
    ) -> None:
        self.desk = desk or Desk()
        self.desk.change(cash_variance_thresholds=thresholds or {})
        self.drawer = CashDrawer.create(id=DRAWER, property_id=KABUL, label="Reception").subject
        self.opened = CashSession.open(self.drawer, counted(*DUE), "karim", self.desk, TILL)
        self.session = self.opened.subject

    def by(self, who: str) -> Confirmed:
        return Confirmed(
            by=who, at=self.desk.now, token_id=f"jti-{who}", assertion_hash="0" * 64, method="totp"
        )

    def count(self, *amounts: Money, by: str = "karim", number: int = 1) -> bytes:
        cash_close.initiate_close(
            self.session, counted(*amounts), number, DUE, self.by(by), self.desk
        )
        assert self.session.counted
        return self.session.counted.sha256

    def close(self, sha256: bytes, by: str = "laila"):
        return cash_close.close(self.session, sha256, self.by(by), self.desk)


@pytest.mark.req("CASH-6")
class TestDrawer:
    def test_is_renamed_and_frozen_with_a_reason(self):
        drawer = Drawer().drawer
        facts = drawer.change(label="Bar", active=False, reason="Broken lock")
        assert [(fact.name, fact.reason) for fact in facts] == [
            ("cash_drawer.renamed", None),
            ("cash_drawer.frozen", "Broken lock"),
        ]
        assert (drawer.label, drawer.active, drawer.version) == ("Bar", False, 3)

    def test_is_not_frozen_without_one(self):
        with pytest.raises(ReasonMissing):
            Drawer().drawer.change(label=None, active=False, reason=None)

    def test_that_is_what_it_is_asked_to_be_tells_nothing(self):
        drawer = Drawer().drawer
        assert drawer.change(label="Reception", active=True, reason=None) == ()
        assert drawer.version == 1

    def test_that_is_frozen_opens_no_session_until_it_is_thawed(self):
        till = Drawer()
        till.drawer.change(label=None, active=False, reason="Broken lock")
        with pytest.raises(DrawerFrozen):
            CashSession.open(till.drawer, counted(*DUE), "karim", till.desk, TILL)
        till.drawer.change(label=None, active=True, reason="Repaired")
        assert CashSession.open(till.drawer, counted(*DUE), "karim", till.desk, TILL)


@pytest.mark.req("CASH-2")
class TestMovement:
    @pytest.mark.parametrize(
        ("kind", "debit", "credit"),
        [
            ("float", "drawer", "cash_safe"),
            ("paid_in", "drawer", "cash_paid_in"),
            ("over", "drawer", "cash_over_short"),
            ("paid_out", "cash_paid_out", "drawer"),
            ("drop", "cash_safe", "drawer"),
            ("short", "cash_over_short", "drawer"),
            ("turned_in", "cash_safe", "drawer"),
        ],
    )
    def test_is_booked_between_the_drawer_and_where_it_comes_from_or_goes_to(
        self, kind: str, debit: str, credit: str
    ):
        entry = CashMovement(
            id=CashMovementId("cmv_01K9ZQ0M8Y" + "0" * 16),
            session_id=TILL,
            kind=MovementKind(kind),
            amount=usd(1),
            business_date=Drawer().session.business_date,
        ).entry
        names = {cash_in(TILL): "drawer"}
        told = names.get(entry.debit, entry.debit), names.get(entry.credit, entry.credit)
        assert told == (debit, credit)

    @pytest.mark.parametrize("cents", [0, -1])
    def test_is_more_than_nothing(self, cents: int):
        till = Drawer()
        with pytest.raises(AmountNotPositive):
            till.session.move(
                till.desk.new_id(CashMovementId), MovementKind.DROP, usd(cents), "Safe", till.desk
            )

    def test_of_a_float_of_nothing_is_none(self):
        till = Drawer()
        opened = CashSession.open(
            till.drawer, counted(usd(0), Money(5_000_000, EUR)), "karim", till.desk, TILL
        )
        assert [each.amount for each in opened.movements] == [Money(5_000_000, EUR)]


@pytest.mark.req("CASH-1", "CASH-2", "CASH-4")
class TestClosing:
    def test_stops_the_cash_until_a_second_person_confirms(self):
        till = Drawer()
        till.count(usd(10_000))
        assert till.session.status is SessionStatus.PENDING
        with pytest.raises(SessionNotOpen):
            till.session.move(
                till.desk.new_id(CashMovementId), MovementKind.DROP, usd(1), "Safe", till.desk
            )
        with pytest.raises(SessionNotOpen):
            till.count(usd(10_000), number=2)

    def test_that_balances_books_what_is_turned_in_and_no_more(self):
        till = Drawer()
        (closed,) = till.close(till.count(usd(10_000)))
        assert [(m.kind, m.amount) for m in closed.movements] == [("turned_in", usd(10_000))]
        assert (till.session.status, till.session.discrepancy) == ("closed", False)

    @pytest.mark.parametrize(
        ("cents", "booked"),
        [
            (9_500, [("short", 500), ("turned_in", 9_500)]),
            (10_001, [("over", 1), ("turned_in", 10_001)]),
            (0, [("short", 10_000)]),
        ],
    )
    def test_books_what_is_over_or_short(self, cents: int, booked: list[tuple[str, int]]):
        till = Drawer()
        closed, found = till.close(till.count(usd(cents)))
        assert [(m.kind, m.amount.minor_units) for m in closed.movements] == booked
        assert [each.variance for each in found.beyond] == [usd(cents - 10_000)]

    @pytest.mark.req("CASH-3")
    def test_takes_a_currency_that_is_not_counted_for_nothing_and_one_too_many_for_over(self):
        """100.00 USD should be there; 7.00 EUR are."""
        till = Drawer()
        till.close(till.count(Money(7_000_000, EUR)))
        variances = [each.variance for each in till.session.results]
        assert variances == [Money(7_000_000, EUR), usd(-10_000)]

    @pytest.mark.parametrize("sign", [1, -1])
    def test_waits_for_an_explanation_beyond_the_threshold_only(self, sign: int):
        """Up to 2.00 nobody asks."""
        within, beyond = (Drawer(thresholds={USD: usd(200)}) for _ in range(2))
        within.close(within.count(usd(10_000 + sign * 200)))
        beyond.close(beyond.count(usd(10_000 + sign * 201)))
        assert (within.session.discrepancy, beyond.session.discrepancy) == (False, True)

    def test_is_refused_to_who_counted(self):
        till = Drawer()
        sha256 = till.count(usd(10_000))
        with pytest.raises(SamePerson):
            till.close(sha256, by="karim")
        assert till.session.status is SessionStatus.PENDING

    def test_of_another_count_is_refused(self):
        till = Drawer()
        sha256 = till.count(usd(10_000))
        with pytest.raises(CountDiffers):
            till.close(bytes(32))
        cash_close.return_to_open(till.session, 1, "Again")
        till.count(usd(10_000), number=2)
        with pytest.raises(CountDiffers):
            till.close(sha256)

    def test_happens_once(self):
        till = Drawer()
        with pytest.raises(SessionNotPending):
            till.close(bytes(32))
        sha256 = till.count(usd(10_000))
        till.close(sha256)
        with pytest.raises(SessionNotPending):
            till.close(sha256, by="farid")

    @pytest.mark.parametrize("number", [0, 2, 3])
    def test_begins_with_the_next_count(self, number: int):
        till = Drawer()
        with pytest.raises(CountDiffers):
            till.count(usd(10_000), number=number)
        assert till.session.counts == 0

    @pytest.mark.req("CASH-8")
    def test_is_sent_back_with_a_reason(self):
        till = Drawer()
        till.count(usd(10_000))
        with pytest.raises(CountDiffers):
            cash_close.return_to_open(till.session, 2, "Again")
        returned = cash_close.return_to_open(till.session, 1, "Again")
        assert (returned.reason, till.session.counted, till.session.pending_since) == (
            "Again",
            None,
            None,
        )
        with pytest.raises(SessionNotPending):
            cash_close.return_to_open(till.session, 1, "Again")
        assert till.session.status is SessionStatus.OPEN


@pytest.mark.req("CASH-5")
class TestAcknowledging:
    def test_is_a_third_persons(self):
        till = Drawer()
        till.close(till.count(usd(9_500)))
        for who in ("karim", "laila"):
            with pytest.raises(SamePerson):
                cash_close.acknowledge(till.session, "A torn note", till.by(who))
        cash_close.acknowledge(till.session, "A torn note", till.by("farid"))
        assert (till.session.status, till.session.explanation) == ("acknowledged", "A torn note")
        with pytest.raises(NothingToAcknowledge):
            cash_close.acknowledge(till.session, "A torn note", till.by("omid"))

    def test_needs_something_to_explain(self):
        till = Drawer()
        with pytest.raises(NothingToAcknowledge):
            cash_close.acknowledge(till.session, "Nothing", till.by("farid"))
        till.close(till.count(usd(10_000)))
        with pytest.raises(NothingToAcknowledge):
            cash_close.acknowledge(till.session, "Nothing", till.by("farid"))


@pytest.mark.req("CASH-8")
class TestStuck:
    def recount(self, till: Drawer, by: str, number: int = 2):
        return cash_close.recount_stuck(
            till.session, counted(usd(9_900)), number, DUE, till.by(by), till.desk
        )

    def test_is_what_has_waited_six_hours(self):
        till = Drawer()
        assert not till.session.is_stuck(till.desk.now + timedelta(days=9))
        till.count(usd(10_000))
        assert not till.session.is_stuck(till.desk.now + STUCK_AFTER - timedelta(microseconds=1))
        assert till.session.is_stuck(till.desk.now + STUCK_AFTER)

    def test_is_told_once_and_again_for_another_count_that_waits(self):
        till = Drawer()
        till.count(usd(10_000))
        late = till.desk.now + STUCK_AFTER
        assert cash_close.find_stuck(till.session, till.desk.now) is None
        assert cash_close.find_stuck(till.session, late)
        assert cash_close.find_stuck(till.session, late) is None
        cash_close.return_to_open(till.session, 1, "Again")
        till.count(usd(10_000), number=2)
        assert cash_close.find_stuck(till.session, late)

    def test_is_counted_anew_by_another_person_and_confirmed_by_a_third(self):
        till = Drawer()
        old = till.count(usd(10_000))
        with pytest.raises(SessionNotStuck):
            self.recount(till, "farid")
        till.desk.now += STUCK_AFTER
        with pytest.raises(SamePerson):
            self.recount(till, "karim")
        with pytest.raises(CountDiffers):
            self.recount(till, "farid", number=1)
        self.recount(till, "farid")
        assert till.session.counted
        new = till.session.counted.sha256
        with pytest.raises(SamePerson):
            till.close(new, by="farid")
        with pytest.raises(CountDiffers):
            till.close(old)
        till.close(new)
        assert till.session.status is SessionStatus.CLOSED

    def test_is_nothing_that_is_open(self):
        till = Drawer()
        with pytest.raises(SessionNotPending):
            self.recount(till, "farid", number=1)


@pytest.mark.req("CASH-3")
class TestBlindness:
    def test_lasts_until_two_persons_have_signed(self):
        till = Drawer()
        settings = till.desk.settings
        assert till.session.hides(settings)
        sha256 = till.count(usd(9_500))
        assert till.session.hides(settings)
        till.close(sha256)
        assert not till.session.hides(settings)

    def test_is_the_tenants_to_choose(self):
        till = Drawer()
        assert not till.session.hides(replace(till.desk.settings, blind_count=False))


@pytest.mark.req("CASH-11")
@pytest.mark.parametrize(
    ("moment", "zone", "close", "day"),
    [
        # Midnight, and one in the morning where the day ends at three.
        ("2026-01-14 22:59:59", "Europe/Berlin", "00:00", "2026-01-14"),
        ("2026-01-14 23:00:00", "Europe/Berlin", "00:00", "2026-01-15"),
        ("2026-01-15 00:00:00", "Europe/Berlin", "03:00", "2026-01-14"),
        # The hour that the clocks leave out (it opens the day), and the one that comes twice.
        ("2026-03-29 00:59:59", "Europe/Berlin", "02:30", "2026-03-28"),
        ("2026-03-29 01:00:00", "Europe/Berlin", "02:30", "2026-03-29"),
        ("2026-10-25 01:10:00", "Europe/Berlin", "02:30", "2026-10-25"),
        # UTC-11 and UTC+14 at one moment: two days apart.
        ("2026-06-01 10:30:00", "Pacific/Pago_Pago", "00:00", "2026-05-31"),
        ("2026-06-01 10:30:00", "Pacific/Kiritimati", "00:00", "2026-06-02"),
    ],
)
def test_cash_bears_the_business_date_of_its_house(moment: str, zone: str, close: str, day: str):
    """The session, its float, what moves in it, and what its closing books."""
    hotel = house(time_zone=zone, day_close=time.fromisoformat(close))
    till = Drawer(desk=Desk(settings_of(hotel=hotel), datetime.fromisoformat(f"{moment}+00:00")))
    moved = till.session.move(
        till.desk.new_id(CashMovementId), MovementKind.DROP, usd(1), "Safe", till.desk
    )
    closed, _ = till.close(till.count(usd(9_999)))

    booked = [*till.opened.entries, *moved.entries, *closed.entries]
    assert {entry.business_date.isoformat() for entry in booked} == {day}
    assert till.session.business_date.isoformat() == day
