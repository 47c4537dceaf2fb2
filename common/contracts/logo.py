"""A hotel's logo, as it is told and as it is kept: pixels, and nothing else of the file.

It comes as a `data:` URI of a PNG or a JPEG, at most 128 KiB and 2000 by 2000 pixels. What it says
beside its pixels (a place, a camera, a comment) is nobody's business on an invoice, and a file that
only looks like a picture must not get near the renderer; so it is read once, by a library, and
written anew: on white, as large as it is printed at most, as a PNG. The same picture gives the same
bytes under the same library.
"""

import base64
import binascii
import re
from io import BytesIO
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

MAX_TOLD_BYTES: Final = 128 * 1024
MAX_TOLD_PIXELS: Final = 2000
MAX_KEPT_PIXELS: Final = (900, 300)
MAX_URI_CHARACTERS: Final = 40 + MAX_TOLD_BYTES * 4 // 3

_DATA_URI = re.compile(r"data:image/(png|jpeg);base64,([A-Za-z0-9+/]+={0,2})")


def _kept(told: Any) -> bytes | None:
    """The picture of a data URI, written anew."""
    if told is None:
        return None
    parts = _DATA_URI.fullmatch(told) if isinstance(told, str) else None
    try:
        picture = base64.b64decode(parts[2], validate=True) if parts else b""
    except binascii.Error:
        picture = b""
    if parts is None or not 0 < len(picture) <= MAX_TOLD_BYTES:
        raise _no_logo()
    return _written_anew(picture, parts[1].upper())


def _written_anew(picture: bytes, kind: str) -> bytes:
    from PIL import Image

    written = BytesIO()
    try:
        with Image.open(BytesIO(picture), formats=[kind]) as told:
            if max(told.size) > MAX_TOLD_PIXELS:  # known before a pixel is unpacked
                raise _no_logo()
            pixels = told.convert("RGBA")
        page = Image.new("RGBA", pixels.size, "white")
        page.alpha_composite(pixels)
        page.thumbnail(MAX_KEPT_PIXELS)
        page.convert("RGB").save(written, "PNG", optimize=True)
    except PydanticCustomError:
        raise
    except Exception:  # noqa: BLE001 - a parser of strangers' files can fail in any way
        raise _no_logo() from None
    return written.getvalue()


def _no_logo() -> PydanticCustomError:
    return PydanticCustomError(
        "logo", "A logo is a data URI of a PNG or JPEG of at most 128 KiB and 2000 x 2000 pixels"
    )


Logo = Annotated[
    bytes,
    BeforeValidator(
        _kept,
        json_schema_input_type=Annotated[
            str, Field(pattern=r"^data:image/(png|jpeg);base64,", max_length=MAX_URI_CHARACTERS)
        ],
    ),
]
"""The bytes of the PNG that is kept of what was told."""
