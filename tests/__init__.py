"""A package, for one of the dependencies installs another one by this name."""
