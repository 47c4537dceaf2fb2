"""One file is one use case is one deployable function; a folder is an area with its own account."""
