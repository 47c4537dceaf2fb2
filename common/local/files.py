"""Files that are written once and whole, for their owner's eyes only.

The laptop's stores make the promises of Google's: what was put is never replaced, nobody reads half
of it, and of two processes that put at once one wins and the other learns of it.
"""

import os
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_once(path: Path, content: bytes) -> bool:
    """Put a file in its place, with mode 0600; False when there is one already, which stays."""
    _make_private(path.parent)
    with NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".new") as draft:  # made with 0600
        draft.write(content)
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return False
    return True


def _make_private(folder: Path) -> None:
    """Make a folder and those above it: `mkdir(parents=True)` would leave these open to all."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
