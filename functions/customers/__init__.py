"""Customers, and what they have left to pay with."""
