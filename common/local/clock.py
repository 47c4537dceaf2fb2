"""The laptop's clock can be moved: a night passes in a second. A deployment has no such clock.

The offset stands in a file, so that every process of the stack, jobs included, sees the same time.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path


class MovableClock:
    """The time as it is, and an offset."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "offset_seconds"
        self._read_at = -1
        self._offset = timedelta()

    def at(self, database_time: datetime) -> datetime:
        return database_time + self._current_offset()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._current_offset()

    def move(self, seconds: int) -> datetime:
        """Move the clock on (or back) and answer the new time."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        total = int(self._current_offset().total_seconds()) + seconds
        draft = self._file.with_suffix(".new")
        draft.write_text(str(total))
        draft.replace(self._file)
        return self.now()

    def _current_offset(self) -> timedelta:
        try:
            changed_at = self._file.stat().st_mtime_ns
        except FileNotFoundError:
            return timedelta()
        if changed_at != self._read_at:
            self._offset = timedelta(seconds=int(self._file.read_text()))
            self._read_at = changed_at
        return self._offset
