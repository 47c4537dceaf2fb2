"""Wrapping keys in Cloud KMS: no process ever holds one (GW-2).

Each tenant has a key `data-<tenant>` in the key ring, that encrypts and decrypts. KMS wraps with
the primary version and finds by itself which one has wrapped; a version that is destroyed unwraps
nothing any more. The tenant's id is authenticated with what is wrapped: nobody unwraps it as
another one's. Whatever travels is checked by its CRC32C on both ends.
"""

from uuid import UUID

import google_crc32c
from google.api_core.exceptions import FailedPrecondition, InvalidArgument, NotFound
from google.api_core.retry import Retry
from google.cloud.kms_v1 import KeyManagementServiceClient

from common.google.asking import CALL_SECONDS, RETRY, AnswerGarbled, asking, unharmed
from common.ports.vault import KeyDestroyed, Wrapped


class CloudWrapping:
    """The keys of all tenants, in one key ring: `projects/../locations/../keyRings/..`."""

    def __init__(
        self,
        keyring: str,
        client: KeyManagementServiceClient | None = None,
        retry: Retry = RETRY,
    ) -> None:
        self._keyring = keyring
        self._client = client or KeyManagementServiceClient()
        self._wrap = retry(self._ask_to_wrap)
        self._unwrap = retry(self._ask_to_unwrap)

    def wrap(self, tenant_id: UUID, content: bytes) -> Wrapped:
        """Wrap bytes with the primary version. Raises GoogleAPIError when KMS cannot be asked."""
        return self._wrap(tenant_id, content)

    def unwrap(self, tenant_id: UUID, wrapped: Wrapped) -> bytes:
        """What was wrapped. Raises KeyDestroyed, and GoogleAPIError."""
        if wrapped.key_version.partition("/cryptoKeyVersions/")[0] != self._key(tenant_id):
            raise KeyDestroyed("this is no version of the tenant's key")
        try:
            return self._unwrap(tenant_id, wrapped)
        except (FailedPrecondition, NotFound, InvalidArgument) as gone:
            raise KeyDestroyed(f"{wrapped.key_version} unwraps nothing") from gone

    def _key(self, tenant_id: UUID) -> str:
        return f"{self._keyring}/cryptoKeys/data-{tenant_id.hex}"

    def _ask_to_wrap(self, tenant_id: UUID, content: bytes) -> Wrapped:
        asked = {
            "name": self._key(tenant_id),
            "plaintext": content,
            "plaintext_crc32c": google_crc32c.value(content),
            "additional_authenticated_data": tenant_id.bytes,
            "additional_authenticated_data_crc32c": google_crc32c.value(tenant_id.bytes),
        }
        with asking("kms", "encrypt"):
            answer = self._client.encrypt(asked, retry=None, timeout=CALL_SECONDS)
        if not (
            answer.verified_plaintext_crc32c
            and answer.verified_additional_authenticated_data_crc32c
            and answer.name.startswith(self._key(tenant_id) + "/")
        ):
            raise AnswerGarbled(answer.name)
        return Wrapped(answer.name, unharmed(answer.ciphertext, answer.ciphertext_crc32c))

    def _ask_to_unwrap(self, tenant_id: UUID, wrapped: Wrapped) -> bytes:
        asked = {
            "name": self._key(tenant_id),
            "ciphertext": wrapped.content,
            "ciphertext_crc32c": google_crc32c.value(wrapped.content),
            "additional_authenticated_data": tenant_id.bytes,
            "additional_authenticated_data_crc32c": google_crc32c.value(tenant_id.bytes),
        }
        with asking("kms", "decrypt"):
            answer = self._client.decrypt(asked, retry=None, timeout=CALL_SECONDS)
        return unharmed(answer.plaintext, answer.plaintext_crc32c)
