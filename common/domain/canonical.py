"""One spelling for every document that is hashed: RFC 8785 (JSON Canonicalization Scheme).

A hash is a promise only if two parties write the same document in the same bytes. Our documents
hold strings, integers, booleans and null under ASCII keys; for those the standard library's encoder
with sorted keys and no white space writes exactly what RFC 8785 asks (a test holds it against an
independent implementation). Anything else is refused instead of being spelled differently.
"""

import hashlib
import json

_ENCODE = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode
_LARGEST_EXACT_INTEGER = 2**53 - 1


def canonical(document: object) -> bytes:
    """Write the document in its one canonical spelling.

    Raises TypeError or ValueError for floats, integers beyond 2^53 - 1, keys that are not ASCII
    strings, and text that is not valid Unicode.
    """
    _check(document)
    return _ENCODE(document).encode()


def digest(document: object) -> bytes:
    """SHA-256 of the canonical spelling, 32 bytes."""
    return hashlib.sha256(canonical(document)).digest()


def _check(value: object) -> None:
    match value:
        case None | str() | bool():
            return
        case int():
            if abs(value) > _LARGEST_EXACT_INTEGER:
                raise ValueError(f"{value} is beyond the integers that JSON readers keep exact")
        case dict():
            for key, item in value.items():
                if not (isinstance(key, str) and key.isascii()):
                    raise TypeError(f"{key!r} is not an ASCII key")
                _check(item)
        case list() | tuple():
            for item in value:
                _check(item)
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical spelling here")
