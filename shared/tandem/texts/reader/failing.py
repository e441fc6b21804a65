"""Why a file cannot be read."""

from typing import ClassVar


class Unreadable(Exception):
    """The file itself is at fault."""

    problem: ClassVar[str]


class Encrypted(Unreadable):
    """It asks for a password."""

    problem = "encrypted"


class Damaged(Unreadable):
    """It cannot be taken apart."""

    problem = "damaged"


class TooCostly(Unreadable):
    """Reading it takes more than a file may."""

    problem = "too_costly"
