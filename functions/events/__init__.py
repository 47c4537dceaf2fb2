"""What other services tell us: each consumer takes one type of event."""
