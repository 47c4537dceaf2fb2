"""Show what is to be declared of a quarter through the Union's one-stop shop (SUB-5).

Over all tenants, by country, rate and currency: sums, and nobody's invoices. An invoice counts in
the quarter in which it was written, by the seller's calendar; what is given back counts against the
quarter in which it was given back. Who declares converts what is not in euros, by the rate of the
quarter's last day (Directive 2006/112/EC art. 369h), which is no rate of ours.
"""

from typing import Annotated

from pydantic import Field

from common.contracts.platform_taxes import OneStopShopRowView
from common.contracts.shapes import Outcome, Request
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function

Quarter = Annotated[str, Field(pattern="^20[0-9]{2}-Q[1-4]$", examples=["2026-Q1"])]


class ShowOneStopShop(Request):
    """Which quarter."""

    quarter: Quarter


class OneStopShopSummary(Outcome):
    """What the quarter comes to so far; none where nothing was taxed that way."""

    quarter: str
    items: tuple[OneStopShopRowView, ...]


@http_function("GET", "/subscription-invoices/one-stop-shop", scope="platform.subscription.read")
def show_one_stop_shop(request: ShowOneStopShop, tx: Transaction) -> OneStopShopSummary:
    """Answer what a quarter comes to, by country and rate."""
    year, quarter = int(request.quarter[:4]), int(request.quarter[-1])
    rows = tx.platform_taxes.declared(year, quarter)
    return OneStopShopSummary(
        quarter=request.quarter, items=tuple(OneStopShopRowView.of(row) for row in rows)
    )
