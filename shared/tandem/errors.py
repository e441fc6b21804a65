"""Failures that are expected. `code` is contract; the message is for people."""

from typing import ClassVar


class TandemError(Exception):
    """An expected failure: says what happened and, where it can, what to do."""

    code: ClassVar[str] = "internal"
    retry_after: int | None = None
    """Seconds after which to try again, where that may help."""


class NotFound(TandemError):
    """There is no such thing, or the caller may not know that there is."""

    code = "not_found"


class Forbidden(TandemError):
    """The caller may know of this, but has no right to do it."""

    code = "forbidden"


class Unauthenticated(TandemError):
    """Nobody is signed in, or the token is unknown, expired or withdrawn."""

    code = "unauthenticated"


class Conflict(TandemError):
    """The request is well formed, but the present state does not allow it."""

    code = "conflict"


class Invalid(TandemError):
    """A value is not acceptable; `field` names it as the client wrote it."""

    code = "invalid"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class TooLarge(TandemError):
    """More bytes were sent than this installation accepts."""

    code = "too_large"


class Unavailable(TandemError):
    """Something this needs is not there just now; trying again may help."""

    code = "unavailable"
    retry_after = 2


class TooMany(TandemError):
    """One client asks for more at a time than it may."""

    code = "too_many_requests"
    retry_after = 1


class TooManyAttempts(TooMany):
    """A secret was guessed at too often from one place. `retry_after` is in seconds."""

    code = "too_many_attempts"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
