"""A function that imports what any function must, and does nothing: the yardstick of starts."""

import flask
import functions_framework
import jwt
import pg8000.native
from pydantic import BaseModel

LOADED = (jwt, pg8000.native)


class Nothing(BaseModel):
    """A model, because pydantic loads itself only when one is made."""


@functions_framework.http
def post_charge(request: flask.Request) -> tuple[str, int]:
    return "nothing", 201
