"""One file is one use case is one deployable function; the folders are areas with an account each."""
