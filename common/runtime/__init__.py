"""The runner and the edges: how a use case is called over HTTP, by an event, by a job."""
