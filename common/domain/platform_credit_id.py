"""What the platform's credit notes are known by; apart, as who names one need not know the rest."""

from common.domain.identifiers import Identifier


class PlatformCreditNoteId(Identifier):
    """A credit note of the platform, about an invoice of its own."""

    __slots__ = ()
    prefix = "pcn_"
