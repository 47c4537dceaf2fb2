"""Invoices: issued, rendered, verified."""
