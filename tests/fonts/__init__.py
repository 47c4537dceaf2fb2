"""Where the fonts of documents come from."""
