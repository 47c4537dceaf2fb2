"""One hotel, called at another instance of the service."""

from dataclasses import replace

from tests.hotel import Hotel, House


def at(house: House, hotel: Hotel) -> Hotel:
    """The same hotel, called at another instance."""
    return replace(hotel, house=house)
