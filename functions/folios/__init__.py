"""Folios: what a guest owes, from check-in to the last payment."""
