"""The version of the service, as its package says."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("melmastoon-billing")
except PackageNotFoundError:
    VERSION = "0"
