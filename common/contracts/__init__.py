"""What leaves the house and what comes in: requests, answers, published events, problems."""
