"""What several use cases do alike and cannot leave to the domain, because it reads, keeps or
performs.

A use case is a few lines of take, decide, keep, tell. Where two of them would be the same lines,
the lines stand here: opening a reservation's folio, drawing an invoice, verifying a document.
"""
