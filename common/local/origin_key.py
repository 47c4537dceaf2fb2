"""What the laptop hides addresses under: a file that is made when it is asked for."""

from pathlib import Path
from secrets import token_hex

from common.local.files import write_once


def origin_key(folder: Path) -> str:
    """The key in a folder, the same for every process that is given it."""
    file = folder / "origin-key"
    write_once(file, token_hex(32).encode())
    return file.read_text()
