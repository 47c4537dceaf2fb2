"""A count of cash, and the one document that two persons sign when they close a drawer by it.

A count is given per currency, and may be given by denomination: how many pieces of which value,
which then have to add up. A currency that is not counted is counted as nothing, and no count is
ever refused because of what is in the drawer: a refusal would tell what should be there (CASH-3).

What both persons sign is the SHA-256 of a canonical document (RFC 8785) of the tenant, the session,
who counted, the number of the count, and the count itself. One piece more, another currency,
another person or an earlier count is another document, and fits neither signature (BEY-1).
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from common.domain.canonical import digest
from common.domain.dataclass import dataclass
from common.domain.identifiers import CashSessionId
from common.domain.money import Currency, Money
from common.domain.refusal import Unmet

CLOSING: Final = "cash_drawer.close"
ACKNOWLEDGING: Final = "cash_drawer.acknowledge_discrepancy"
RETURNING: Final = "cash_drawer.return_to_open"


class CountInvalid(Unmet):
    code = "CASH_COUNT_INVALID"
    title = "The count contradicts itself"


@dataclass(frozen=True, slots=True)
class Denomination:
    """So many pieces of one coin or note."""

    value_micro: int
    pieces: int


@dataclass(frozen=True, slots=True)
class CurrencyCount:
    """What was counted of one currency. Denominations, where given, are all of it.

    Refuses: CountInvalid (less than nothing, a denomination twice, pieces that do not add up),
    AmountNotInMinorUnits, AmountOutOfRange.
    """

    amount: Money
    denominations: tuple[Denomination, ...] = ()

    def __post_init__(self) -> None:
        currency = self.amount.currency
        if self.amount.in_minor_units().amount_micro < 0:
            raise CountInvalid(f"Less than nothing was counted of {currency}.")
        if not self.denominations:
            return
        values = [each.value_micro for each in self.denominations]
        if len(set(values)) < len(values):
            raise CountInvalid(f"A denomination of {currency} is given twice.")
        pieces = (
            Money(each.value_micro, currency).in_minor_units().amount_micro * each.pieces
            for each in self.denominations
        )
        if sum(pieces) != self.amount.amount_micro:
            raise CountInvalid(f"The pieces of {currency} do not come to its amount.")


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted, each currency once. Refuses: CountInvalid."""

    parts: tuple[CurrencyCount, ...]

    def __post_init__(self) -> None:
        if len({part.amount.currency for part in self.parts}) < len(self.parts):
            raise CountInvalid("A currency is counted twice.")

    def of(self, currency: Currency) -> Money:
        """What was counted of a currency."""
        for part in self.parts:
            if part.amount.currency == currency:
                return part.amount
        return Money.zero(currency)

    @property
    def amounts(self) -> tuple[Money, ...]:
        """What was counted, in the order of the currencies' codes."""
        return tuple(part.amount for part in self.in_order)

    @property
    def in_order(self) -> tuple[CurrencyCount, ...]:
        """Currencies by code, and in each the denominations by value, largest first."""
        return tuple(
            CurrencyCount(
                part.amount,
                tuple(sorted(part.denominations, key=lambda each: -each.value_micro)),
            )
            for part in sorted(self.parts, key=lambda part: part.amount.currency)
        )

    def document(self) -> list[dict[str, object]]:
        """The count, in the one order that is signed."""
        return [
            {
                "currency": str(part.amount.currency),
                "amountMicro": part.amount.amount_micro,
                "denominations": [
                    {"valueMicro": each.value_micro, "pieces": each.pieces}
                    for each in part.denominations
                ],
            }
            for part in self.in_order
        ]

    @classmethod
    def read(cls, document: Sequence[dict[str, object]]) -> "Count":
        """The count that a document holds."""
        return cls(tuple(_part(each) for each in document))


def _part(document: dict[str, object]) -> CurrencyCount:
    match document:
        case {
            "currency": str(code),
            "amountMicro": int(amount_micro),
            "denominations": list(denominations),
        }:
            pieces = tuple(Denomination(e["valueMicro"], e["pieces"]) for e in denominations)
            return CurrencyCount(Money(amount_micro, Currency(code)), pieces)
        case _:
            raise ValueError("this is no count")


def closing_sha256(
    tenant_id: UUID, session_id: CashSessionId, closed_by: str, number: int, count: Count
) -> bytes:
    """What both persons sign who close a drawer by a count: the `number`th count of the session."""
    return digest(
        {
            "deed": CLOSING,
            "tenant": str(tenant_id),
            "session": str(session_id),
            "closedBy": closed_by,
            "number": number,
            "count": count.document(),
        }
    )


def returning_sha256(tenant_id: UUID, session_id: CashSessionId, number: int) -> bytes:
    """What is signed by who sends the `number`th count of a session back to be made again."""
    parts = {"deed": RETURNING, "tenant": str(tenant_id), "session": str(session_id)}
    return digest({**parts, "number": number})


def acknowledging_sha256(tenant_id: UUID, session_id: CashSessionId) -> bytes:
    """What is signed by who answers for the difference that a closed session has."""
    parts = {"deed": ACKNOWLEDGING, "tenant": str(tenant_id), "session": str(session_id)}
    return digest(parts)
