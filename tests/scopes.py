"""What the staff of the tests may do: everything, unless a test says otherwise."""

EVERY_SCOPE = [
    "billing.folio.read",
    "billing.folio.write",
    "billing.folio.reopen",
    "billing.invoice.read",
    "billing.invoice.send",
    "billing.admin",
    "billing.audit.read",
    "billing.credit_note.write",
    "billing.cash_drawer.operate",
    "billing.cash_drawer.close",
    "billing.cash_drawer.acknowledge_discrepancy",
    "billing.refund.write",
    "billing.report.read",
    "billing.receivable.read",
    "billing.receivable.write",
    "billing.receivable.write_off",
    "billing.ai.review",
    "billing.credits.read",
    "billing.credits.write",
    "platform.subscription.write",
]
