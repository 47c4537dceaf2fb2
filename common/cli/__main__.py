"""`python -m common.cli`: the command where the package is not installed, as in the image."""

from common.cli.main import main

main()
