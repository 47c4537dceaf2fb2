"""A template and the values it names make HTML. Everything that is filled in is escaped."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")


def filled(template: str, **values: object) -> str:
    """The HTML of `templates/<template>.html`. A value that it names and lacks is an error."""
    return _environment().get_template(f"{template}.html").render(values)


def style_of(template: str) -> str:
    """The style sheet of a page for browsers."""
    return (TEMPLATES / f"{template}.css").read_text(encoding="utf-8")


def policy_with(style: str) -> str:
    """The policy under which a page with this one style sheet runs and fetches nothing."""
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
