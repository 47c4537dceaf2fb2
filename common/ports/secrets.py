"""Secrets that change while the service runs, asked for by name when they are needed (OPS-3).

A secret that came with the environment is that of the process's start. One that is asked for is the
newest: whoever suspects that it leaked writes another version, and nothing is deployed for it.
"""

from typing import Protocol


class SecretMissing(Exception):
    """There is no such secret, or its newest version may not be read; the message names it."""


class Secrets(Protocol):
    """Where secrets are kept."""

    def read(self, name: str) -> str:
        """The newest version of a secret. Raises SecretMissing."""
