"""Which passwords are accepted, and how they are stored. The one place for both."""

import os
import secrets
import sys
import threading
import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pwdlib import PasswordHash

from tandem.errors import Forbidden, Invalid

SHORTEST, LONGEST = 8, 500
FEWEST_DIFFERENT = 3
"""Different characters in a password, spaces at its ends left out."""

_NICE = 10


def _step_back() -> None:
    # Linux has a priority for each thread, which the threads of Argon2 take over. Elsewhere it
    # would be that of the whole process.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


_passwords = PasswordHash.recommended()
_thread = ThreadPoolExecutor(1, thread_name_prefix="hash", initializer=_step_back)
"""One hash at a time in a process, since each takes 64 MiB and all processors; and behind whatever
else the process does, since who signs in waits anyway."""
_OURS = frozenset({"tandem", "screening", "review", "systematicreview"})
"""Words of this service. Alone, or with digits and signs behind them, they are easy to guess."""
_BEHIND = "0123456789!?.,;:-_#*+$%&@ "


class WeakPassword(Invalid):
    """The password is too short, too common, or the person's own address."""

    code = "weak_password"


class WrongPassword(Forbidden):
    """The current password, asked for once more, is wrong."""

    code = "wrong_password"


@dataclass(frozen=True, slots=True)
class Hashed:
    """A password that was accepted, as it is stored. Only `hashed` makes one."""

    text: str

    def __repr__(self) -> str:
        return "Hashed(***)"


def hashed(password: str, *, email: str, field: str = "password") -> Hashed:
    """Check a new password and return its hash. Takes some 50 ms and 64 MiB.

    Args:
        password: As the person typed it; nothing is cut off.
        email: Of the account that it is for.
        field: What the client calls it, for the error.

    Raises:
        WeakPassword: It is not acceptable; the message says why.
    """
    check(password, email=email, field=field)
    return Hashed(_thread.submit(_passwords.hash, _one_form(password)).result())


def check(password: str, *, email: str, field: str = "password") -> None:
    """Refuse a password that is too easy to guess.

    Raises:
        WeakPassword: The message says why, and never repeats the password.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"A password has {SHORTEST} to {LONGEST} characters.", field=field)
    lowered = password.strip().lower()
    address = email.strip().lower()
    if lowered in (address, address.partition("@")[0]):
        raise WeakPassword(
            "The password is the e-mail address, or its part before the @. Choose another.",
            field=field,
        )
    if len(set(lowered)) < FEWEST_DIFFERENT:
        raise WeakPassword(
            "This password repeats one or two characters, or is only spaces. Choose another, "
            "for example four random words.",
            field=field,
        )
    if lowered in _common() or lowered.rstrip(_BEHIND) in _OURS:
        raise WeakPassword(
            "This password is one of the commonest, so it is guessed first. Choose another, "
            "for example four random words.",
            field=field,
        )


def is_right(password: str, stored: str | None) -> bool:
    """Say whether a password is the stored one. Takes the same time where there is none."""
    # As typed, too: before, passwords were stored like that.
    forms = dict.fromkeys((_one_form(password), password))
    return _any_is_right(forms, stored or _hash_of_nobody()) and stored is not None


def prepare() -> None:
    """Make ready, in the background, what the first check would else take longer for."""
    _thread.submit(_hash_of_nobody)


@cache
def _hash_of_nobody() -> str:
    """Checked when the address is unknown, so that the answer takes as long as for a known one."""
    return _passwords.hash(secrets.token_hex())


def _any_is_right(forms: Iterable[str], stored: str) -> bool:
    return any(_thread.submit(_passwords.verify, form, stored).result() for form in forms)


def _one_form(password: str) -> str:
    """Return the form in which keyboards that write "é" as one or two characters agree.

    Source: NIST SP 800-63B-4, 3.1.1.2, which names NFKC.
    """
    return unicodedata.normalize("NFKC", password)


@cache
def _common() -> frozenset[str]:
    text = files("tandem.accounts").joinpath("common_passwords.txt").read_text(encoding="ascii")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))
