"""What all aggregates share: a version, and a trail of facts that cannot be altered unseen.

Every change of a folio, a payment or an invoice is a fact in the past tense. Facts of one aggregate
are numbered without a gap, and each carries the hash of the one before it, so that a removed,
changed, added or reordered entry of the audit trail shows. The aggregate is locked while it
changes, so that numbering and chaining cost no lock of their own.

Several commands may share one transaction. Each works on its own shallow copy of the aggregate, and
a refused command's copy is dropped. So an aggregate replaces what it holds and changes nothing that
its copies share: no list or dictionary of it is ever altered in place.
"""

from dataclasses import field
from typing import ClassVar

from common.domain.canonical import digest
from common.domain.dataclass import dataclass

TRAIL_START = bytes(32)


@dataclass(kw_only=True)
class Aggregate:
    """A thing that changes as a whole, under one lock.

    `version` is the number of its newest fact (the ETag of the resource), `trail` the hash of that
    fact's audit entry, `state_digest` the digest of the state that the newest told fact left.
    `is_new` until it has been kept for the first time.
    """

    kind: ClassVar[str]
    id: str
    version: int = 0
    trail: bytes = TRAIL_START
    state_digest: bytes | None = field(default=None, compare=False)
    is_new: bool = field(default=True, compare=False)

    def state(self) -> dict[str, object]:
        """What the aggregate is right now, as a document whose digest the audit trail keeps."""
        raise TypeError(f"{type(self).__name__} does not describe its state")

    def next_sequence(self) -> int:
        """Number the fact that is about to be told."""
        self.version += 1
        return self.version

    def digest(self) -> bytes:
        """SHA-256 of the state."""
        return digest(self.state())


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Something that happened to an aggregate, told once.

    `subject` is the aggregate, `sequence` the fact's number on it, `reason` what a person gave as
    the reason, where the rules ask for one.
    """

    name: ClassVar[str]
    subject: Aggregate = field(repr=False, compare=False)
    sequence: int
    reason: str | None = None
