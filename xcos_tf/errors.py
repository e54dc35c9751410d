"""The exceptions that mean "the user can mend this", and how sentences show an input or a count."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

QUOTED = 100
"""Characters of an input that a message shows at most."""

LONGEST = 600
"""Characters of a sentence, of what it quotes without marks too."""

# What a terminal or a reader of lines takes for the end of a line, or for more than a letter, such
# as to write from right to left; and bytes of a name that are no text.
_CONTROL = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# A word, or something in quotation marks as `repr` writes it, that is longer than may be shown.
_LONG = re.compile(rf"(?<!\w)'[^']{{{QUOTED},}}'|(?<!\w)\"[^\"]{{{QUOTED},}}\"|\S{{{QUOTED + 1},}}")


def shown(text: object) -> str:
    """Return an input as a message shows it: on one line, its middle left out if it is long."""
    return shortened(on_one_line(text))


def reason_of(error: BaseException, most: int = QUOTED) -> str:
    """Return why something failed, as a message shows it, in at most so many characters.

    A library may quote all of its input, or have an error that cannot even say what it is.
    """
    try:
        said = getattr(error, "strerror", None) or getattr(error, "message", None) or str(error)
    except Exception:
        said = "no reason given"
    return shortened(on_one_line(" ".join(str(said).split()) or type(error).__name__), most)


@contextmanager
def explained(
    what: str, advice: str, kinds: tuple[type[Exception], ...] = (OSError,)
) -> Iterator[None]:
    """Raise errors of these kinds as an XcosError that says what failed, why, and what to do.

    An XcosError has its own sentence already, and passes; but that of a file that could not be
    written knows less than the caller.
    """
    try:
        yield
    except kinds as error:
        if isinstance(error, XcosError) and not isinstance(error, OSError):
            raise
        raise XcosError(f"{what} ({reason_of(error)}); {advice}") from None


def extra(name: str, what: str) -> AbstractContextManager[None]:
    """Say of an import that fails in the block which extra, of this name, has what `what` needs."""
    advice = f"run pip install 'xcos_tf[{name}]'"
    return explained(f"{what} needs another package", advice, (ImportError,))


def as_message(text: str, inputs: Iterable[str] = ()) -> str:
    """Return a sentence on one line that shows at most 100 characters of an input.

    Of its own words, and of what it quotes, those that are too long lose their middle; and so do
    `inputs` that it may have in it besides, such as paths with spaces in them.
    """
    text = on_one_line(text)
    for given in inputs:
        if len(given) > QUOTED:
            for form in (on_one_line(given), as_message(given)):  # as it is, or in an XcosError
                text = text.replace(form, shown(given))
    text = _LONG.sub(lambda found: shortened(found[0]), text)
    # Its end says what to do.
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2 - 1]}…{text[-LONGEST // 2 :]}"


def on_one_line(text: object) -> str:
    """Return a text whose ends of lines and other controls are written as in Python, as `\\n`."""
    text = str(text)
    if text.isprintable():
        return text
    return "".join(repr(x)[1:-1] if unicodedata.category(x) in _CONTROL else x for x in text)


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a count and what is counted: `1 person`, `2,000 people`; or by default with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def shortened(text: str, most: int = QUOTED) -> str:
    """Return a text without its middle if it has more than so many characters."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}…{text[1 - most // 2 :]}"


class XcosError(Exception):
    """Bad input, said in one clear sentence: what was wrong and what to do about it.

    The text is the sentence as `as_message` makes it, whatever an input that it quotes is like. The
    `xcos` command prints it alone, without a traceback, and exits with code 2.

    Attributes:
        sentence: as it was given.
    """

    def __init__(self, sentence: str):
        super().__init__(as_message(sentence))
        self.sentence = sentence


class NoFaceError(XcosError):
    """A photo in which no face was found.

    Attributes:
        photo: as it was given: a path, bytes, a PIL image or an array.
    """

    def __init__(self, message: str, photo):
        super().__init__(message)
        self.photo = photo
