"""A second service on the same database: another instance, another way to connect."""

from dataclasses import replace
from typing import Any

from werkzeug.test import Client

from common.local.functions import declarations
from common.local.gateway import Gateway
from common.wiring import Wiring
from tests.hotel import Hotel, House, keys_of


def rewired(house: House, **settings: Any) -> House:
    """The service once more, with other settings; close its wiring afterwards."""
    wiring = Wiring(replace(house.wiring.settings, **settings))
    wiring.__dict__["issuer_keys"] = keys_of(house.identity)
    return replace(house, wiring=wiring, client=Client(Gateway(wiring, declarations())))


def at(house: House, hotel: Hotel) -> Hotel:
    """The same hotel, called at another service."""
    return replace(hotel, house=house)
