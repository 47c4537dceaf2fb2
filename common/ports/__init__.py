"""What the house needs from outside, as Protocols; one suite proves each over its adapters."""
