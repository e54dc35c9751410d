"""How numbers and names are written in figures and sentences."""


def enough_decimals(score: float, threshold: float) -> tuple[str, str]:
    """Return both with two decimals, or as many as show that they differ, up to six."""
    for decimals in range(2, 7):
        shown = as_number(score, decimals), as_number(threshold, decimals)
        if shown[0] != shown[1]:
            return shown
    return as_number(score, 2), as_number(threshold, 2)


def as_number(value: float, decimals: int) -> str:
    """Return a value with so many decimals, a proper minus sign, and no sign for zero."""
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def as_sentence(text: str) -> str:
    """Return a text with a capital letter and a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def short_title(title: str, longest: int = 27) -> str:
    """Return a title in printable letters on one line, its middle left out if it is too long."""
    # File names need not be valid Unicode, nor free of line breaks.
    title = str(title).encode("utf-8", "replace").decode("utf-8")
    title = "".join(letter if letter.isprintable() else " " for letter in title).strip()
    if len(title) <= longest:
        return title
    return f"{title[: longest // 2]}…{title[-(longest // 2) :]}"
