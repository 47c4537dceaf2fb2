"""What closings leave over, as figures: residuals of folios, variances of drawers (OPS-4).

They are read out of the facts on their way to the broker, as these were committed. An amount is
told by its class and by which way it goes. A drawer is told by its id, so that one that is short
night after night is seen; it was counted blind, and has been closed by two persons.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from common.domain.money import Currency, CurrencyUnknown, Money
from common.ports.publishing import Message
from common.ports.telemetry import RESIDUALS, VARIANCES, Telemetry
from common.runtime.logging import AmountClasses

FOLIO_CLOSED: Final = "melmastoon.billing.folio.closed.v1"
DRAWER_CLOSED: Final = "melmastoon.billing.cash_drawer.closed.v1"
CLASSES: Final = AmountClasses(medium_from_minor=10, large_from_minor=1_000)
"""In minor units: conversion leaves one or two, and a till is seldom right to the coin."""


def note_remainder(message: Message, telemetry: Telemetry) -> None:
    """Tell what a closing has left over; of what cannot be read, nobody is told."""
    if message.event_type not in (FOLIO_CLOSED, DRAWER_CLOSED):
        return
    try:
        data = json.loads(message.data)
        if message.event_type == FOLIO_CLOSED:
            telemetry.measured(RESIDUALS, 1, _size(data["residual"]))
            return
        drawer = {"billing.drawer.id": str(data["cashDrawerId"])}
        for result in data["results"]:
            telemetry.measured(VARIANCES, 1, drawer | _size(result["variance"]))
    except (KeyError, TypeError, ValueError, CurrencyUnknown):
        return


def _size(told: Mapping[str, Any]) -> dict[str, str]:
    """How much it is, and which way, without the amount."""
    amount = Money(told["amountMicro"], Currency(told["currency"])).minor_units
    if amount == 0:
        return {"billing.amount.class": "none", "billing.direction": "even"}
    direction = "over" if amount > 0 else "short"
    return {"billing.amount.class": CLASSES.of(amount).value, "billing.direction": direction}
