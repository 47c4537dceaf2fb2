"""Certificates of signing keys: a handful for each tenant, read whole and never changed."""

from typing import Final

from common.domain.certificate import CertificateGiven, SigningCertificate
from common.postgres import ranks
from common.postgres.session import Insert
from common.postgres.stores import Desk

KEPT: Final = """
SELECT tenant_id, key_version, chain, own, valid_from, valid_to
FROM signing_certificates
ORDER BY id
"""
INSERT = Insert.into(
    ranks.DOCUMENT_PARTS,
    "signing_certificates",
    "id, key_version, sha256, chain, own, valid_from, valid_to, kept_at",
)


class Certificates:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def kept(self) -> tuple[CertificateGiven, ...]:
        return tuple(
            CertificateGiven(
                key_version=row[1],
                chain=tuple(map(bytes.fromhex, row[2])),
                own=row[3],
                valid_from=row[4],
                valid_to=row[5],
            )
            for row in self._desk.rows(KEPT)
        )

    def keep(self, certificate: SigningCertificate) -> None:
        given = certificate.given
        row = {
            "id": certificate.id,
            "key_version": given.key_version,
            "sha256": given.sha256,
            "chain": [each.hex() for each in given.chain],
            "own": given.own,
            "valid_from": given.valid_from,
            "valid_to": given.valid_to,
            "kept_at": self._desk.now,
        }
        self._desk.insert(INSERT, [row])
