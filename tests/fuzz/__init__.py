"""Damaged and crafted inputs for everything that reads what a user can hand us.

`mutate` changes what is right, `engine` says what may come of it, and the other modules each list
the readers of some rooms, with what is right made here. `python -m tests.fuzz` is the long run.
"""
