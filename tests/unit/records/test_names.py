"""Whose paper it may be: names as people and databases write them."""

import pytest

from tandem.records.names import Name

ALIKE = [
    ("Ann Lee", "Lee, Ann"),
    ("Ann Lee", "Ann Lee"),
    ("Ann Lee", "A. Lee"),
    ("Ann Lee", "Lee A"),
    ("Ann Lee", "Lee AB"),
    ("Ann Lee", "Lee, A. B."),
    ("Ann B. Lee", "Lee, Ann"),
    ("Lee, Ann", "Ann Lee"),
    ("ann lee", "LEE, ANN"),
    ("Ann B. Lee", "LEE, ANN"),
    ("Ann B. Lee", "LEE AB"),
    ("Dr. Ann Lee, PhD", "Lee A"),
    ("Jørgen Müller", "Mueller, J"),
    ("Jorgen Muller", "Müller, Jørgen"),
    ("Jörg Łukasz Weiß", "Weiss JL"),
    ("José Núñez", "Nu\u0301n\u0303ez, J."),
    ("Anna van der Berg", "van der Berg, A."),
    ("Anna van der Berg", "Berg, Anna van der"),
    ("Anna van den Berg", "Van den Berg A"),
    ("Berg, Anna", "Berg A van der"),
    ("Gabriel García Márquez", "Garcia-Marquez, G"),
    ("Gabriel García Márquez", "García Márquez, Gabriel"),
    ("Jean-Paul Durand", "Durand JP"),
    ("Jean-Paul Durand", "Durand, J.-P."),
    ("Jianwei Chen", "Chen, Jian-Wei"),
    ("Li Wei", "Li, Wei"),
    ("Wei Li", "Li W"),
    ("Di Wang", "Wang, Di"),
    ("Siobhán O'Neill", "O’Neill S"),
    ("李安", "李安"),
    ("Иван Петров", "Петров И."),
]

UNLIKE = [
    ("ann", "Lee, Ann"),
    ("Ann", "Ann"),
    ("Lee", "Lee, Ann"),
    ("Ann Lee", "Lee"),
    ("Ann Lee", "Lee, Ben"),
    ("Ann Lee", "Lee B"),
    ("Ann Lee", "Leeson, Ann"),
    ("Ann Lee", "Anna Lee"),
    ("Ann B. Lee", "Lee, A. C."),
    ("Li Wei", "Li W"),
    ("Anna van der Berg", "van der Velde, A"),
    ("Anna van der Berg", "van der"),
    ("Ann Lee", "WHO"),
    ("Ann Lee", ""),
    ("", "Lee, Ann"),
    (", ", ", "),
    ("李安", "李明"),
    ("owner", "Lee, Ann"),
]


@pytest.mark.parametrize(("person", "author"), ALIKE)
def test_these_may_be_one_person(person: str, author: str) -> None:
    assert Name(person).is_like(author)


@pytest.mark.parametrize(("person", "author"), UNLIKE)
def test_these_are_not(person: str, author: str) -> None:
    assert not Name(person).is_like(author)


def test_the_first_author_who_is_like_them_is_named() -> None:
    authors = ["Ng, T.", "Lee, Ben", "Lee A", "Lee, Ann"]
    assert Name("Ann Lee").first_like(authors) == "Lee A"
    assert Name("Eve Stone").first_like(authors) is None
