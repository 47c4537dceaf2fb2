"""Credit notes: the documents that take an invoice back, in full or in part."""
