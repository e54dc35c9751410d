"""How a preset learns what covering a cell does to its grid, for the method `xcos-whatif`."""
