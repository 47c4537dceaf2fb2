"""The certificates that a house's PDFs are signed with: which key signed, and who says so.

Each version of the signing key has one certificate that it issued itself, made when it is first
needed, and any number that a trusted authority issued since. The newest that is valid signs; an
authority's comes before the key's own. None is ever changed or taken away: what was signed with it
is checked by it, years later.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import field
from datetime import datetime
from typing import ClassVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.identifiers import CertificateId
from common.domain.moment import Moment
from common.domain.refusal import Unmet


class CertificateUnusable(Unmet):
    code = "CERTIFICATE_UNUSABLE"
    title = "This is no certificate for the signing key"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateGiven:
    """A certificate in DER, and those above it; `own` is issued by the key itself."""

    key_version: str
    chain: tuple[bytes, ...]
    own: bool
    valid_from: datetime
    valid_to: datetime

    @property
    def sha256(self) -> bytes:
        """What it is recognised by."""
        return hashlib.sha256(self.chain[0]).digest()


@dataclass(frozen=True, kw_only=True)
class CertificateKept(Fact):
    """A key version has a certificate that signs from now on."""

    name = "certificate.kept"
    subject: "SigningCertificate" = field(repr=False, compare=False)


@dataclass(kw_only=True)
class SigningCertificate(Aggregate):
    """A certificate that is kept."""

    kind: ClassVar[str] = "signing_certificate"
    id: CertificateId
    given: CertificateGiven

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "id": self.id,
            "keyVersion": self.given.key_version,
            "sha256": self.given.sha256.hex(),
            "own": self.given.own,
        }


def keep(given: CertificateGiven, moment: Moment) -> CertificateKept:
    """Keep a certificate from now on."""
    kept = SigningCertificate(id=moment.new_id(CertificateId), given=given)
    return CertificateKept(subject=kept, sequence=kept.next_sequence())


def signing(
    kept: Iterable[CertificateGiven], key_version: str, now: datetime
) -> CertificateGiven | None:
    """The certificate that a key version signs with; `kept` are in the order of their keeping."""
    valid = [
        each
        for each in kept
        if each.key_version == key_version and each.valid_from <= now < each.valid_to
    ]
    ordered = sorted(valid, key=lambda each: not each.own)
    return ordered[-1] if ordered else None
