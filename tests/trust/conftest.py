"""What the tests of the trust harness share: a server of their own, with few hotels on it.

Each play and each death is followed by a look into all books, which takes the longer the more there
is on the server: after thousands of tests there is much on the other one.
"""

from collections.abc import Iterator

import pytest

from common.local.database import LocalDatabase
from tests.conftest import a_server
from tests.hotel import Hotel, House
from tests.trust.invariants.charging import hotel_that_is_charged
from tests.trust.invariants.companies import hotel_owed_again
from tests.trust.invariants.payments import hotel_with_payments
from tests.trust.invariants.platform_credits import hotel_whose_money_went_back
from tests.trust.invariants.prepaid import hotel_with_prepaid_credits
from tests.trust.invariants.purchases import hotel_with_purchases
from tests.trust.invariants.reviews import hotel_with_reviews
from tests.trust.invariants.subscriptions import hotel_that_subscribes
from tests.trust.invariants.usage import hotel_that_uses
from tests.trust.invariants.webhooks import hotel_with_webhooks
from tests.trust.races.stage import Theatre


@pytest.fixture(scope="session")
def server() -> Iterator[LocalDatabase]:
    """The server of the harness."""
    with a_server() as running:
        yield running


@pytest.fixture(scope="session")
def house(server: LocalDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The service on it."""
    built = House.build(server, tmp_path_factory.mktemp("trust"))
    yield built
    built.close()


@pytest.fixture(scope="module")
def prepaid(house: House) -> Hotel:
    """A hotel with credits of every kind, for the same."""
    return hotel_with_prepaid_credits(house)


@pytest.fixture(scope="module")
def subscribed(house: House) -> Hotel:
    """A hotel that subscribes to the platform, for what is planted in its books."""
    return hotel_that_subscribes(house)


@pytest.fixture(scope="module")
def owed_again(house: House) -> Hotel:
    """A hotel of whose companies' payments something was taken back, for the same."""
    return hotel_owed_again(house)


@pytest.fixture(scope="module")
def metered(house: House) -> Hotel:
    return hotel_that_uses(house)


@pytest.fixture(scope="module")
def theatre(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """A hotel of its own, and instances of the service that stop before every statement."""
    built = Theatre.build(house, tmp_path_factory.mktemp("theatre"))
    yield built
    built.close()


@pytest.fixture(scope="module")
def bought(house: House) -> Hotel:
    return hotel_with_purchases(house)


@pytest.fixture(scope="module")
def webhooks(house: House) -> Hotel:
    return hotel_with_webhooks(house)


@pytest.fixture(scope="module")
def payments(house: House) -> Hotel:
    return hotel_with_payments(house)


@pytest.fixture(scope="module")
def reviewed(house: House) -> Hotel:
    return hotel_with_reviews(house)


@pytest.fixture(scope="module")
def charged(house: House) -> Hotel:
    """A hotel whose subscription was charged."""
    return hotel_that_is_charged(house)


@pytest.fixture(scope="module")
def given_back(house: House) -> Hotel:
    return hotel_whose_money_went_back(house)
