"""Prepaid credits: bought or given beforehand, spent by the services of the platform."""
