"""What the house needs from outside, as Protocols; each is proven by one suite over its adapters."""
