"""Which passwords are right: the same letters count, however a keyboard writes them."""

import unicodedata
from typing import Literal

import pytest

from tandem.accounts import passwords

Form = Literal["NFC", "NFD"]
TYPED = "Schöne Grüße 2026"


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("given", ["NFC", "NFD"])
def test_a_password_is_right_in_either_form_of_its_letters(stored: Form, given: Form) -> None:
    hashed = passwords.hashed(unicodedata.normalize(stored, TYPED), email="you@example.org")
    assert passwords.is_right(unicodedata.normalize(given, TYPED), hashed.text)


def test_a_password_stored_as_it_was_typed_goes_on() -> None:
    typed = unicodedata.normalize("NFD", TYPED)
    assert passwords.is_right(typed, passwords._passwords.hash(typed))
    assert not passwords.is_right(typed + "!", passwords._passwords.hash(typed))
