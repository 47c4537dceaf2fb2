"""Secrets in Secret Manager: the newest enabled version, whole (OPS-3, OPS-5).

What travels is checked by its CRC32C: a secret that was garbled on the way would refuse whoever
signs with it. An account reads the secrets that it was given and is told of no other.
"""

from google.api_core.exceptions import FailedPrecondition, NotFound, PermissionDenied
from google.api_core.retry import Retry
from google.cloud.secretmanager_v1 import SecretManagerServiceClient

from common.google.asking import CALL_SECONDS, RETRY, asking, unharmed
from common.ports.secrets import SecretMissing


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
        with asking("secret_manager", "access"):
            answer = self._client.access_secret_version(asked, retry=None, timeout=CALL_SECONDS)
        return unharmed(answer.payload.data, answer.payload.data_crc32c).decode()
