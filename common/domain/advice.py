"""What was pointed out about a payment or a refund; it advises whoever looks at it (REF-2)."""

from common.domain.dataclass import dataclass
from common.domain.identifiers import SignalId


@dataclass(frozen=True, slots=True)
class Advice:
    """A signal in short: `score_ppm` is how sure it is, `verdict` what a person made of it."""

    signal_id: SignalId
    pattern: str
    score_ppm: int
    verdict: str | None
