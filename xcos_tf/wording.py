"""How counts are written in sentences."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a count and what is counted: `1 person`, `2,000 people`; or by default with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
