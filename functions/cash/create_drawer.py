"""Put a cash drawer into use at a property."""

from common.contracts.cash import DrawerView
from common.contracts.fields import Name
from common.contracts.references import CashDrawerRef, PropertyRef
from common.contracts.shapes import Request
from common.domain.cash_drawer import CashDrawer
from common.domain.identifiers import CashDrawerId
from common.domain.settings import PropertyUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class CreateDrawer(Request):
    """Where the drawer stands, and what it is called there."""

    id: CashDrawerRef | None = None
    property_id: PropertyRef
    name: Name


@http_function(
    "POST",
    "/cash-drawers",
    scope="billing.admin",
    status=201,
    creates=True,
    refusals=(PropertyUnknown,),
)
def create_drawer(request: CreateDrawer, tx: Transaction) -> DrawerView:
    """Put a drawer into use, and answer it.

    Refuses: PropertyUnknown.
    """
    house = tx.settings.property(request.property_id)
    if not tx.actor.holds(house.id):
        raise PropertyUnknown()
    created = CashDrawer.create(
        id=request.id or tx.new_id(CashDrawerId), property_id=house.id, label=request.name
    )
    tx.cash_drawers.keep(created.subject)
    tx.tell(created)
    return DrawerView.of(created.subject)
