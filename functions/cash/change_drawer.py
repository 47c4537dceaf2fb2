"""Rename a cash drawer, freeze it, or take it into use again.

A frozen drawer opens no session; one that runs is closed as any other. Freezing says why.
"""

from common.contracts.cash import DrawerView
from common.contracts.fields import FreeText, Name
from common.contracts.references import CashDrawerRef
from common.contracts.shapes import Request
from common.domain.cash_drawer import DrawerUnknown, ReasonMissing
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ChangeDrawer(Request):
    """What becomes of the drawer in the path; what is not given stays as it is."""

    drawer_id: CashDrawerRef
    name: Name | None = None
    active: bool | None = None
    reason: FreeText | None = None


@http_function(
    "PATCH",
    "/cash-drawers/{drawer_id}",
    scope="billing.admin",
    etag="cash_drawer",
    refusals=(DrawerUnknown, ReasonMissing),
)
def change_drawer(request: ChangeDrawer, tx: Transaction) -> DrawerView:
    """Change a drawer's name or whether it is in use, and answer it.

    Refuses: DrawerUnknown, ReasonMissing.
    """
    drawer = tx.cash_drawers.take(request.drawer_id)
    changes = drawer.change(label=request.name, active=request.active, reason=request.reason)
    tx.cash_drawers.keep(drawer)
    for change in changes:
        tx.tell(change)
    return DrawerView.of(drawer)
