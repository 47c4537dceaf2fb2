"""A count adds up, and what is signed of it is nothing else's document (CASH-3, BEY-1)."""

import hashlib
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from common.domain.cash_count import (
    Count,
    CountInvalid,
    CurrencyCount,
    Denomination,
    acknowledging_sha256,
    closing_sha256,
    returning_sha256,
)
from common.domain.identifiers import CashSessionId
from common.domain.money import AmountNotInMinorUnits, Currency, Money
from tests.domain.front_desk import AFN, EUR, JPY, TENANT, TILL, USD, usd
from tests.till import signed

KARIM = "karim"
NOTES = (Denomination(20_000_000, 4), Denomination(10_000_000, 1), Denomination(250_000, 2))
"""Four twenties, a ten and two quarters: 90.50."""


def count(*parts: CurrencyCount) -> Count:
    return Count(parts)


def of(cents: int, *denominations: Denomination) -> CurrencyCount:
    return CurrencyCount(usd(cents), denominations)


def sealed(counted: Count, *, by: str = KARIM, number: int = 1, tenant: UUID = TENANT) -> str:
    return closing_sha256(tenant, TILL, by, number, counted).hex()


@pytest.mark.req("CASH-3")
class TestCount:
    def test_by_denomination_adds_up(self):
        assert of(9_050, *NOTES).amount == usd(9_050)

    @pytest.mark.parametrize("cents", [9_049, 9_051, 0])
    def test_is_refused_where_the_pieces_do_not_come_to_it(self, cents: int):
        with pytest.raises(CountInvalid, match="do not come to"):
            of(cents, *NOTES)

    def test_is_refused_with_a_denomination_twice(self):
        with pytest.raises(CountInvalid, match="twice"):
            of(4_000, Denomination(20_000_000, 1), Denomination(20_000_000, 1))

    def test_is_refused_below_nothing(self):
        with pytest.raises(CountInvalid, match="Less than nothing"):
            of(-1)

    def test_is_refused_with_a_currency_twice(self):
        with pytest.raises(CountInvalid, match="currency is counted twice"):
            count(of(1), of(2))

    @pytest.mark.parametrize(
        ("money", "piece"),
        [(Money(5_000, USD), None), (Money(500_000, JPY), None), (usd(1), 5_000)],
    )
    def test_is_refused_below_the_minor_unit(self, money: Money, piece: int | None):
        pieces = (Denomination(piece, 2),) if piece else ()
        with pytest.raises(AmountNotInMinorUnits):
            CurrencyCount(money, pieces)

    def test_of_nothing_is_a_count(self):
        assert count().amounts == ()
        assert count(of(0)).of(USD) == usd(0)
        assert count().of(EUR) == Money.zero(EUR)

    def test_tells_its_amounts_in_the_order_of_the_codes(self):
        afghani = CurrencyCount(Money(70_000_000, AFN))
        assert count(of(1), afghani).amounts == (afghani.amount, usd(1))

    def test_is_read_back_as_it_was_written(self):
        counted = count(of(9_050, *NOTES), CurrencyCount(Money(70_000_000, AFN)))
        assert Count.read(counted.document()).document() == counted.document()

    def test_is_not_read_from_anything_else(self):
        with pytest.raises(ValueError, match="no count"):
            Count.read([{"currency": "USD"}])


@pytest.mark.req("BEY-1", "CASH-4")
class TestSignature:
    def test_is_of_the_document_that_both_sign(self):
        """Written out by hand, and spelled by an implementation of RFC 8785 that is not ours."""
        counted = count(of(9_050, *NOTES), CurrencyCount(Money(70_000_000, AFN)))
        document = {
            "deed": "cash_drawer.close",
            "tenant": str(TENANT),
            "session": str(TILL),
            "closedBy": "karim",
            "number": 1,
            "count": [
                {"currency": "AFN", "amountMicro": 70_000_000, "denominations": []},
                {
                    "currency": "USD",
                    "amountMicro": 90_500_000,
                    "denominations": [
                        {"valueMicro": 20_000_000, "pieces": 4},
                        {"valueMicro": 10_000_000, "pieces": 1},
                        {"valueMicro": 250_000, "pieces": 2},
                    ],
                },
            ],
        }
        assert sealed(counted) == hashlib.sha256(rfc8785.dumps(document)).hexdigest()
        assert sealed(counted) == signed(**document)

    def test_does_not_ask_in_which_order_it_was_counted(self):
        afghani = CurrencyCount(Money(70_000_000, AFN))
        there = count(of(9_050, *NOTES), afghani)
        back = count(afghani, of(9_050, *reversed(NOTES)))
        assert sealed(there) == sealed(back)

    def test_breaks_with_whatever_is_changed(self):
        """One piece for another, an amount, a currency, a person, a count, a house, a session."""
        counted = count(of(9_050, *NOTES))
        swapped = count(of(9_050, *NOTES[:2], Denomination(500_000, 1)))
        other_session = CashSessionId(TILL[:-1] + "1")
        others = {
            sealed(swapped),
            sealed(count(of(9_050))),
            sealed(count(of(9_049))),
            sealed(count(CurrencyCount(Money(90_500_000, EUR)))),
            sealed(counted, by="laila"),
            sealed(counted, number=2),
            sealed(counted, tenant=uuid4()),
            closing_sha256(TENANT, other_session, KARIM, 1, counted).hex(),
        }
        assert len(others) == 8
        assert sealed(counted) not in others

    @given(st.data())
    def test_breaks_with_any_piece_more_or_less(self, data: st.DataObject):
        values = st.sampled_from([10_000, 250_000, 1_000_000, 5_000_000, 20_000_000, 100_000_000])
        pieces = data.draw(st.dictionaries(values, st.integers(0, 500), min_size=1))
        denominations = [Denomination(*each) for each in pieces.items()]
        place = data.draw(st.integers(0, len(denominations) - 1))
        changed = list(denominations)
        more = data.draw(st.integers(-500, 500).filter(bool))
        if denominations[place].pieces + more < 0:
            more = -more
        changed[place] = replace(denominations[place], pieces=denominations[place].pieces + more)

        def total(parts: list[Denomination]) -> CurrencyCount:
            micro = sum(each.value_micro * each.pieces for each in parts)
            return CurrencyCount(Money(micro, Currency("USD")), tuple(parts))

        assert sealed(count(total(denominations))) != sealed(count(total(changed)))

    def test_of_one_deed_is_none_of_another(self):
        digests = {
            closing_sha256(TENANT, TILL, KARIM, 1, count()),
            returning_sha256(TENANT, TILL, 1),
            returning_sha256(TENANT, TILL, 2),
            acknowledging_sha256(TENANT, TILL),
        }
        assert len(digests) == 4
