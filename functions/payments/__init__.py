"""Payments that are taken at the processor."""
