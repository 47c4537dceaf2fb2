"""What the database refuses of the certificates of signing keys; see `trials`."""

from typing import Final

from tests.postgres.trials import Trial

NEW: Final = {"id": "crt_x", "own": False}
OTHER: Final = {"sha256": "\\x" + "00" * 32}

CERTIFICATES: Final = [
    Trial("signing_certificates_pkey", "signing_certificates", {"own": False}),
    Trial("certificate_is_kept_once", "signing_certificates", NEW),
    Trial(
        "key_version_has_one_certificate_of_its_own",
        "signing_certificates",
        {
            "id": "crt_x",
            "chain": ["00"],
            # SHA-256 of one zero byte
            "sha256": "\\x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        },
    ),
    Trial("certificate_hash_is_of_its_first", "signing_certificates", {**NEW, **OTHER}),
    Trial("certificate_has_a_chain", "signing_certificates", {**NEW, "chain": []}),
    Trial(
        "certificate_ends_after_it_begins",
        "signing_certificates",
        {**NEW, "valid_to": "2000-01-01T00:00:00+00:00"},
    ),
]
"""A hotel that has drawn a document has a certificate."""
