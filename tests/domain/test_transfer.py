"""What moves between two folios, and what each of them has then; figures worked out by hand."""

from datetime import date
from uuid import UUID

import pytest

from common.domain.charge import ChargeAlreadyVoided, ChargeUnknown
from common.domain.folio import FolioAlreadyClosed, LinesPosted
from common.domain.folio_line import LineType
from common.domain.identifiers import ChargeId, PropertyId
from common.domain.ledger import revenue, tax_payable
from common.domain.money import AmountNotPositive, CurrenciesDiffer, Money
from common.domain.tax import TaxRule
from common.domain.transfer import (
    TransferCrossProperty,
    TransferExceedsCharges,
    TransferToSameFolio,
)
from tests.domain.front_desk import JPY, USD, Account, Desk, figures, house, rule, settings_of, usd

pytestmark = pytest.mark.req("FOL-7")

HERAT = PropertyId(UUID("5b0c9d3e-1f72-4a86-b3d5-6e8f2a7c4910"))


def two(*rules: TaxRule, **settings: object) -> tuple[Account, Account]:
    """Hers and his, at one desk; 10 % on top unless rules are given."""
    desk = Desk(settings_of(*(rules or (rule(percent=10),)), **settings))
    return Account(desk), Account(desk)


def charged(account: Account, units: int, kind: str = "room", **given: object) -> ChargeId:
    return ChargeId(account.charge(units, kind, **given).lines[0].id)


def first(told: LinesPosted) -> ChargeId:
    return ChargeId(told.lines[0].id)


def test_what_is_taken_away_arrives_line_by_line() -> None:
    """80.00 and 8.00 less 5.00 and 0.50: all of it is his."""
    hers, his = two()
    spa = charged(hers, 8_000, "spa")
    hers.adjust(spa, -500)

    moved = hers.move(his, spa)

    assert figures(moved.left) == [("void", -8_000), ("void", -800), ("void", 500), ("void", 50)]
    assert figures(moved.reached) == [
        ("charge", 8_000), ("tax", 800), ("adjustment", -500), ("tax", -50),
    ]  # fmt: skip
    names = [line.moved_from for line in moved.reached.lines]
    assert names == [line.id for line in moved.left.lines]
    assert (hers.balance, his.balance) == (0, 8_250)
    accounts = [revenue("spa"), tax_payable("VAT")]
    assert [his.in_the_ledger(each) for each in accounts] == [-7_500, -750]
    assert [hers.in_the_ledger(each) for each in accounts] == [0, 0]


@pytest.mark.req("MON-3")
@pytest.mark.parametrize(
    ("share_ppm", "parts"),
    [
        (500_000, [34, 33, 0]),  # 0.67 of 1.34: a half of 0.67, 0.67 and nothing
        (10_000, [1]),  # 0.01 falls on the first of the two that it would fall on alike
        (999_999, [67, 67]),  # rounded, it is all of them
        (1_000_000, [67, 67]),
    ],
)
def test_a_share_is_split_to_the_cent(share_ppm: int, parts: list[int]) -> None:
    hers, his = two(rule(percent=0))
    charges = [charged(hers, cents) for cents in (67, 67)]

    moved = hers.move(his, *charges, share_ppm=share_ppm)

    came = [units for type, units in figures(moved.reached) if type == "charge"]
    assert came == [part for part in parts if part]
    assert (hers.balance, his.balance) == (134 - sum(parts), sum(parts))


def test_what_comes_to_all_of_a_charge_moves_it_whole() -> None:
    """Of 10.00 and 20.00, 30.00: both are voided; of the half of it, the parts are adjusted."""
    hers, his = two()
    charges = [charged(hers, cents) for cents in (1_000, 2_000)]

    half = hers.move(his, *charges, amount=usd(1_500))
    whole = hers.move(his, *charges, amount=usd(1_500))

    assert {line.type for line in half.left.lines} == {LineType.ADJUSTMENT, LineType.TAX}
    assert {line.type for line in whole.left.lines} == {LineType.VOID}
    assert (hers.balance, his.balance) == (0, 3_300)


def test_a_part_that_falls_on_some_nights_only_is_a_charge_for_each() -> None:
    """Two nights at 10 %, one at 20 %, 1.00 in all: 0.67 and 0.33. Of 0.01 the first gets all; of
    0.50 they get 0.34 and 0.16, as 0.66 and 0.33 are left."""
    hers, his = two(
        rule(percent=10, valid_to=date(2026, 3, 4)),
        rule(percent=20, valid_from=date(2026, 3, 4)),
    )
    stay = charged(hers, 100, service_date=date(2026, 3, 2), nights=3)

    little = hers.move(his, stay, amount=usd(1))
    more = hers.move(his, stay, amount=usd(50))

    assert figures(little.reached) == [("charge", 1), ("tax", 0)]
    assert figures(more.reached) == [("charge", 34), ("tax", 3), ("charge", 16), ("tax", 3)]
    pieces = [line for line in more.reached.lines if line.tax is None]
    assert [line.charge_id for line in pieces] == [line.id for line in pieces]
    assert [line.service_date for line in pieces] == [date(2026, 3, 2), date(2026, 3, 4)]
    his.void(first(more.reached))
    assert his.balance == 1 + 16 + 3


@pytest.mark.req("TAX-3")
def test_a_price_that_contains_its_tax_moves_to_the_cent() -> None:
    """1.00 with 7 % inside is 0.93 and 0.07; a third of it 0.33: 0.31 and 0.02."""
    hers, his = two(rule(percent=7, inclusive=True))
    bar = charged(hers, 100, "minibar")

    moved = hers.move(his, bar, share_ppm=333_333)

    assert figures(moved.reached) == [("charge", 31), ("tax", 2)]
    assert (hers.balance, his.balance) == (67, 33)


@pytest.mark.req("TAX-3")
def test_the_exact_tax_moves_where_it_is_rounded_once_an_invoice() -> None:
    """10 % of 0.14 is 0.014, of two 0.028, rounded 0.03. With one each, each owes 0.01."""
    hers, his = two(rounds_tax_per_invoice=True)
    charges = [charged(hers, 14, "minibar") for _ in range(2)]

    moved = hers.move(his, charges[1])

    assert figures(moved.left) == [("void", -14), ("void", -2)]
    assert figures(moved.reached) == [("charge", 14), ("tax", 1)]
    assert hers.folio.tax_sums.groups == his.folio.tax_sums.groups


def test_a_charge_goes_on_from_where_it_came_to() -> None:
    hers, his = two()
    company = Account(hers.desk)
    moved = hers.move(his, charged(hers, 1_000))

    further = his.move(company, first(moved.reached), share_ppm=400_000)
    back = company.move(hers, first(further.reached))

    assert (hers.balance, his.balance, company.balance) == (440, 660, 0)
    assert back.reached.lines[0].moved_from == back.left.lines[0].id


def test_voids_and_corrections_of_what_has_moved_came_from_nowhere() -> None:
    """So that each line is moved once: only what a transfer posts names another folio's line."""
    hers, his = two()
    moved = hers.move(his, charged(hers, 1_000))

    adjusted = his.adjust(first(moved.reached), -100)
    voided = his.void(first(moved.reached))

    assert {line.moved_from for line in (*adjusted.lines, *voided.lines)} == {None}
    assert his.balance == 0


class TestRefuses:
    def test_the_same_folio(self) -> None:
        hers, _ = two()
        with pytest.raises(TransferToSameFolio):
            hers.move(hers, charged(hers, 100))

    def test_another_property(self) -> None:
        other = house(id=HERAT, code="HRT")
        desk = Desk(settings_of(rule(percent=10)))
        desk.change(properties={**desk.settings.properties, other.id: other})
        hers, his = Account(desk), Account(desk, property_id=other.id)
        with pytest.raises(TransferCrossProperty):
            hers.move(his, charged(hers, 100))

    def test_another_currency(self) -> None:
        hers, _ = two()
        his = Account(hers.desk, currency=JPY)
        with pytest.raises(CurrenciesDiffer):
            hers.move(his, charged(hers, 100))
        with pytest.raises(CurrenciesDiffer):
            hers.move(Account(hers.desk), charged(hers, 100), amount=Money.of_minor_units(1, JPY))

    @pytest.mark.parametrize("which", [0, 1])
    def test_a_closed_folio_and_says_which(self, which: int) -> None:
        both = two()
        spa = charged(both[0], 100)
        if which == 0:
            both[0].void(spa)
        both[which].close()
        with pytest.raises(FolioAlreadyClosed) as refused:
            both[0].move(both[1], spa)
        assert refused.value.extra == {"folioId": both[which].folio.id}

    def test_a_charge_that_is_not_there_or_stands_no_more(self) -> None:
        hers, his = two()
        elsewhere, gone = charged(his, 100), charged(hers, 100)
        hers.void(gone)
        with pytest.raises(ChargeUnknown) as unknown:
            hers.move(his, charged(hers, 100), elsewhere)
        with pytest.raises(ChargeAlreadyVoided) as voided:
            hers.move(his, charged(hers, 100), gone)
        assert unknown.value.extra == {"chargeId": elsewhere}
        assert voided.value.extra == {"chargeId": gone}

    @pytest.mark.parametrize("cents", [0, -1])
    def test_what_is_not_more_than_nothing(self, cents: int) -> None:
        hers, his = two()
        with pytest.raises(AmountNotPositive):
            hers.move(his, charged(hers, 100), amount=usd(cents))

    def test_more_than_there_is(self) -> None:
        hers, his = two()
        charges = charged(hers, 100), charged(hers, 100)
        with pytest.raises(TransferExceedsCharges) as refused:
            hers.move(his, *charges, amount=usd(201))
        assert refused.value.extra == {"chargesMicro": 2_000_000, "currency": USD}
