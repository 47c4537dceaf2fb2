"""Secrets in Secret Manager: the newest enabled version, whole (OPS-3, OPS-5).

What travels is checked by its CRC32C: a secret that was garbled on the way would refuse whoever
signs with it. An account reads the secrets that it was given and is told of no other.
"""

from typing import Final

import google_crc32c
from google.api_core.exceptions import (
    DeadlineExceeded,
    FailedPrecondition,
    NotFound,
    PermissionDenied,
    ServiceUnavailable,
)
from google.api_core.retry import Retry, if_exception_type
from google.cloud.secretmanager_v1 import SecretManagerServiceClient

from common.ports.secrets import SecretMissing

CALL_SECONDS: Final = 5


class SecretGarbled(Exception):
    """What arrived is not what was sent."""


RETRY: Final = Retry(
    if_exception_type(SecretGarbled, DeadlineExceeded, ServiceUnavailable),
    initial=0.05,
    maximum=1.0,
    multiplier=2.0,
    timeout=15.0,
)


class CloudSecrets:
    """Secrets by their full names: `projects/../secrets/..`."""

    def __init__(
        self, client: SecretManagerServiceClient | None = None, retry: Retry = RETRY
    ) -> None:
        self._client = client or SecretManagerServiceClient()
        self._ask = retry(self._asked)

    def read(self, name: str) -> str:
        """The newest version. Raises SecretMissing, and GoogleAPIError when it cannot be asked."""
        try:
            return self._ask(name)
        except (NotFound, PermissionDenied, FailedPrecondition) as missing:
            raise SecretMissing(name) from missing

    def _asked(self, name: str) -> str:
        asked = {"name": f"{name}/versions/latest"}
        answer = self._client.access_secret_version(asked, retry=None, timeout=CALL_SECONDS)
        payload = answer.payload
        if google_crc32c.value(payload.data) != payload.data_crc32c:
            raise SecretGarbled(name)
        return payload.data.decode()
