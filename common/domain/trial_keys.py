"""The keys by which who had a trial is known again, and how one takes another's place (SUB-10).

What somebody is known by cannot be marked again under another key, as it is not kept. So a key is
not put in the place of another: it is put beside it, and who begins a trial is marked under each
of them. Whoever is marked at all is marked under the oldest one that is kept; two that begin at the
same moment, each at an instance with other keys, therefore write one and the same mark, and the
database lets one of them in. The oldest goes once everybody is marked under the next one as well.

An instance that has not the oldest key, or has another one under its number, would know nobody
again: it begins no trial at all, and its operator is told.
"""

from collections.abc import Mapping, Sequence

from common.domain.dataclass import dataclass
from common.domain.refusal import Unavailable


class TrialsUnavailable(Unavailable):
    """Some who had a trial would not be known again by the keys that this instance was given."""

    code = "TRIALS_UNAVAILABLE"
    title = "No trial can be begun at the moment: we have been told, try again later"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialKey:
    """A key by its number, which grows from one key to the next. `proof` is an HMAC under it, and
    tells it from every other one without saying anything of it."""

    version: int
    proof: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The HMACs of traces under one key, 32 bytes each; no card, no mark."""

    key: TrialKey
    account: bytes
    email: bytes
    device: bytes
    card: bytes | None

    def by_kind(self) -> tuple[tuple[str, bytes], ...]:
        """Each with its kind, always in the same order: so two that share several of them stand
        in one line and not in each other's way."""
        known = (("account", self.account), ("email", self.email), ("device", self.device))
        return known if self.card is None else (*known, ("card", self.card))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """By what somebody is known again: marks under each key, the oldest first, and those of the
    keys that nobody was marked under before."""

    marks: tuple[Marks, ...]
    new_keys: tuple[TrialKey, ...] = ()

    @property
    def account(self) -> bytes:
        """The mark of the account that stays the longest: under the newest key."""
        return self.marks[-1].account


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """The keys that are kept: the proof of each by its number, None until it is first said."""

    proofs: Mapping[int, bytes | None]

    def recognise(self, marks: Sequence[Marks]) -> Recognition:
        """What of these marks, one set for each key of an instance, somebody is known by.

        What a key marks that is older than one of those kept, and is not kept itself, is left out:
        it was taken away. Refuses: TrialsUnavailable.
        """
        newest = max(self.proofs)
        used = {
            each.key.version: each
            for each in marks
            if each.key.version in self.proofs or each.key.version > newest
        }
        if min(self.proofs) not in used:
            raise TrialsUnavailable(missingKey=min(self.proofs))
        keys = [used[version].key for version in sorted(used)]
        for key in keys:
            if self.proofs.get(key.version) not in (None, key.proof):
                raise TrialsUnavailable(changedKey=key.version)
        return Recognition(
            marks=tuple(used[key.version] for key in keys),
            new_keys=tuple(key for key in keys if self.proofs.get(key.version) is None),
        )
