"""What the laptop hides addresses, and who had a trial, under, and what it signs quotes with: files
that are made when they are asked for."""

from pathlib import Path
from secrets import token_hex

from common.local.files import write_once


def origin_key(folder: Path) -> str:
    """The key in a folder, the same for every process that is given it."""
    return _key(folder / "origin-key")


def trial_key(folder: Path) -> str:
    """The key that marks of trials are made under."""
    return _key(folder / "trial-key")


def quote_key(folder: Path) -> str:
    """The key that quotes are signed with."""
    return _key(folder / "quote-key")


def _key(file: Path) -> str:
    write_once(file, token_hex(32).encode())
    return file.read_text()
