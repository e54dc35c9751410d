"""How often the unlock prototype errs, measured on folders of people."""
