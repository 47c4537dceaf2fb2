"""What the platform's own things are known by; apart, as who names one need not know the rest."""

from common.domain.identifiers import Identifier


class PlatformCreditNoteId(Identifier):
    """A credit note of the platform, about an invoice of its own."""

    __slots__ = ()
    prefix = "pcn_"


class PlatformIncidentId(Identifier):
    """An incident of the platform, which nobody is suspended in."""

    __slots__ = ()
    prefix = "pfi_"


class PlatformTaxRulesId(Identifier):
    """A version of who sells for the platform, and of the taxes on that."""

    __slots__ = ()
    prefix = "ptr_"


class UsageRecordId(Identifier):
    """What one request told of a tenant's usage."""

    __slots__ = ()
    prefix = "use_"
