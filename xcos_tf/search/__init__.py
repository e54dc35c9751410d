"""Explained search: who of many enrolled people is this, and why."""
