"""The import paths of the Beaker 1.x stores that ship in wheels of their own."""
