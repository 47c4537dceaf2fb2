"""What every function of the billing service shares; the layers and their rules stand in README."""
