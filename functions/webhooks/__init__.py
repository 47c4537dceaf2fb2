"""What the card processor tells us, and what became of it."""
