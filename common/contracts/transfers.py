"""How a transfer reads on the wire: what left one folio, and what the other one got."""

from common.contracts.folios import LinesAnswer
from common.domain.deposit import Moved
from common.domain.transfer import Transferred


class TransferAnswer(LinesAnswer):
    """What moved from the folio in the path, and in `target` what was posted on the other."""

    target: LinesAnswer

    @classmethod
    def between(cls, moved: Transferred | Moved) -> "TransferAnswer":
        """Both halves of a transfer."""
        left = LinesAnswer.of(moved.left)
        return cls(
            folio_id=left.folio_id,
            lines=left.lines,
            balance=left.balance,
            version=left.version,
            target=LinesAnswer.of(moved.reached),
        )
