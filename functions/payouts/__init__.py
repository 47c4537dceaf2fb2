"""What the processor holds for the tenant is paid out, large amounts by two persons."""
