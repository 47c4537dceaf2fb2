"""Cash that goes into a drawer or out of it, other than by a guest, and what that is in the ledger.

The float comes out of the safe when a session opens; cash is paid in, paid out or dropped into the
safe while it runs; and what was counted at its closing goes back into the safe, after what was over
or short has been booked as such. So the account of a closed session is empty, in every currency.

Nobody checks whether there is as much in the drawer as is taken out of it: the drawer has it or has
not, and a refusal would tell what should be there before it is counted (CASH-3).
"""

from datetime import date
from enum import StrEnum
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.identifiers import CashMovementId, CashSessionId
from common.domain.ledger import Entry, cash_in
from common.domain.money import AmountNotPositive, Money

SAFE: Final = "cash_safe"
PAID_IN: Final = "cash_paid_in"
PAID_OUT: Final = "cash_paid_out"
OVER_SHORT: Final = "cash_over_short"


class MovementKind(StrEnum):
    """Why the cash moved."""

    FLOAT = "float"
    PAID_IN = "paid_in"
    PAID_OUT = "paid_out"
    DROP = "drop"
    OVER = "over"
    SHORT = "short"
    TURNED_IN = "turned_in"


BY_HAND: Final = frozenset({MovementKind.PAID_IN, MovementKind.PAID_OUT, MovementKind.DROP})
"""What a person asks for; the others are the opening's and the closing's own."""

_INTO_THE_DRAWER: Final = {
    MovementKind.FLOAT: SAFE,
    MovementKind.PAID_IN: PAID_IN,
    MovementKind.OVER: OVER_SHORT,
}
_OUT_OF_THE_DRAWER: Final = {
    MovementKind.PAID_OUT: PAID_OUT,
    MovementKind.DROP: SAFE,
    MovementKind.SHORT: OVER_SHORT,
    MovementKind.TURNED_IN: SAFE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CashMovement:
    """An amount, always more than nothing, into or out of a drawer. Refuses: AmountNotPositive."""

    id: CashMovementId
    session_id: CashSessionId
    kind: MovementKind
    amount: Money
    business_date: date
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.amount.amount_micro <= 0:
            raise AmountNotPositive()

    @property
    def entry(self) -> Entry:
        """What it is in the ledger."""
        drawer = cash_in(self.session_id)
        source = _INTO_THE_DRAWER.get(self.kind)
        debit, credit = (drawer, source) if source else (_OUT_OF_THE_DRAWER[self.kind], drawer)
        return Entry(self.id, 0, debit, credit, self.amount, self.business_date)
