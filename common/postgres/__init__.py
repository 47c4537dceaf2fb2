"""The only SQL of the service: connections, the transaction, and one store for each aggregate."""
