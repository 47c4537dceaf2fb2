"""The issuer's logo at the head of a page: the one that the payload names, and no other."""

import base64
import hashlib
from io import BytesIO
from typing import Final

from common.documents.payload import Issuer
from common.domain.dataclass import dataclass

# As large as it is printed at most, in the points that the renderer sizes pictures by.
MAX_WIDTH_PT: Final = 170
MAX_HEIGHT_PT: Final = 56


@dataclass(frozen=True)
class LogoOnPage:
    """A picture and its size in points."""

    data_uri: str
    width: int
    height: int


def logo_on_page(issuer: Issuer, logo: bytes | None) -> LogoOnPage | None:
    """The logo, as large as fits. Raises ValueError for another than the payload's."""
    digest = hashlib.sha256(logo).hexdigest() if logo is not None else None
    if digest != issuer.logo_sha256:
        raise ValueError("the logo is not the one that the payload names")
    if logo is None:
        return None
    width, height = _pixels(logo)
    return LogoOnPage(
        data_uri=f"data:image/png;base64,{base64.b64encode(logo).decode()}",
        width=max(1, min(MAX_WIDTH_PT, width * MAX_HEIGHT_PT // height)),
        height=max(1, min(MAX_HEIGHT_PT, height * MAX_WIDTH_PT // width)),
    )


def _pixels(logo: bytes) -> tuple[int, int]:
    from PIL import Image

    with Image.open(BytesIO(logo), formats=["PNG"]) as picture:
        return picture.size
