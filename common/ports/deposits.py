"""What has been paid ahead: read under the locks of the folios that it stands on."""

from __future__ import annotations  # the names below are for the type checker, not for a start

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from common.domain.cancellation import Held
    from common.domain.folio import Folio
    from common.domain.identifiers import FolioId, PropertyId
    from common.domain.money import Money


class Deposits(Protocol):
    """Money that stands on folios: all that was paid, less what was given back or moved away."""

    def take_both(self, folio_id: FolioId, other_id: FolioId) -> tuple[Folio, Folio, Money]:
        """Lock two folios, whichever is named first in the same order, and read what stands on the
        first. Refuses: FolioUnknown."""

    def standing(self, folio: Folio) -> Money:
        """What stands on a folio that is locked."""

    def take_of_reservation(self, property_id: PropertyId, reservation_id: str) -> Sequence[Held]:
        """Lock all folios of a reservation in the order of their ids, and read their stays, their
        payments and what stands on each."""
