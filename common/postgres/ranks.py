"""The order in which collected writes reach the database: what is referred to comes first."""

from typing import Final

STEP_UP: Final = 0
PLACES: Final = 5
AGGREGATES: Final = 10
AGGREGATE_CHANGES: Final = 20
LINES: Final = 30
DOCUMENTS: Final = 40
DOCUMENT_PARTS: Final = 50
DOCUMENT_PAYMENTS: Final = 55
LEDGER: Final = 60
AUDIT: Final = 70
OUTBOX: Final = 80
ANSWERS: Final = 90
