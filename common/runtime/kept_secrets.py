"""A secret that was read is kept for five minutes, and longer while its keeper does not answer.

So it costs a call every five minutes and not one a request, a new version is in use by then without
a deployment, and Secret Manager may be down without a webhook being turned away. Two versions that
are in use at once, as while one is being changed, stand in one secret with a comma between.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from common.ports.secrets import Secrets

KEPT_SECONDS: Final = 300
RETRY_SECONDS: Final = 10


class KeptSecrets:
    """Implements Secrets on top of another. `on_trouble` hears why an old one is served."""

    def __init__(
        self,
        secrets: Secrets,
        *,
        on_trouble: Callable[[Exception], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secrets = secrets
        self._on_trouble = on_trouble
        self._clock = clock
        self._known: dict[str, tuple[str, float]] = {}
        self._reading = threading.Lock()

    def read(self, name: str) -> str:
        """The newest version that is known. Raises as the keeper does while none is."""
        known = self._known.get(name)
        if known is not None and self._clock() < known[1]:
            return known[0]
        with self._reading:
            known = self._known.get(name)
            if known is not None and self._clock() < known[1]:
                return known[0]
            return self._read_anew(name, known)

    def _read_anew(self, name: str, known: tuple[str, float] | None) -> str:
        try:
            found, until = self._secrets.read(name), self._clock() + KEPT_SECONDS
        except Exception as trouble:
            if known is None:
                raise
            self._on_trouble(trouble)
            found, until = known[0], self._clock() + RETRY_SECONDS
        self._known[name] = found, until
        return found
