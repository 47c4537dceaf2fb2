"""What tenants use, counted for the platform's invoices."""
