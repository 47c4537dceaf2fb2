"""The book of a tenant's settings: each change adds a complete new version."""

import json
from typing import Any, Final

from common.postgres import ranks
from common.postgres.connection import Statement
from common.postgres.session import Write
from common.postgres.stores import Desk

KEEP_SETTINGS: Final = """
INSERT INTO settings_versions (version, document, recorded_at)
VALUES ($1, $2::jsonb, $3)
"""


class SettingsBook:
    """The versions of one tenant's settings, to be added to."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def keep(self, document: dict[str, Any]) -> int:
        """Write a document as the next version and answer its number."""
        version = self._desk.settings_version + 1
        self._desk.write(
            ("settings", version),
            Write(
                ranks.AGGREGATES,
                Statement(KEEP_SETTINGS, (version, json.dumps(document), self._desk.now)),
            ),
        )
        return version
