"""What differs between the books and the card processor, and who answers for it."""
