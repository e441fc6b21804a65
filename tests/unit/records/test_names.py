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
    ("John Smith Jr.", "Smith, John, Jr."),
    ("John Smith", "Smith, Jr., John"),
    ("John Smith III", "Smith, J., III"),
    ("山田太郎", "山田 太郎"),
    ("山田 太郎", "山田太郎"),
    ("山田太郎", "山田, 太郎"),
    ("高橋さくら", "高橋 さくら"),
    ("김민준", "김 민준"),
    ("Kate O'Brien", "O Brien, K"),
    ("Kate O Brien", "O’Brien K"),
    ("Elizabeth MacDonald", "Mac Donald E"),
    ("Elizabeth Mac Donald", "MacDonald, E."),
    ("Peter McCarthy", "Mc Carthy P"),
    ("José García", "García Márquez, José"),
    ("José García Márquez", "Márquez, José"),
    ("García Márquez, José", "García, José L."),
    ("Alice Brown-Jones", "Brown, Alice"),
    ("Alice Brown-Jones", "Alice Jones"),
    ("Alice Brown", "Brown-Jones, Alice"),
    ("Nguyễn Văn An", "Nguyen VA"),
    ("Nguyễn Văn An", "Nguyen, V. A."),
    ("Kim Min-jun", "Kim MJ"),
    ("Ann Lee", "Lee AB, Smith J"),
    ("Jo Smith", "Lee AB, Smith J & Ng T"),
    ("Jo Smith", "Lee, Ann; Smith, Jo"),
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
    ("Wei Zhang", "Zhang Wei-Ming"),
    ("Zhang Wei", "Zhang Wei-Ming"),
    ("Kim Young", "Kim Young-Kyung"),
    ("Wei Zhang", "Zhang, Wen"),
    ("Jean-Paul Sartre", "Sartre, Paul"),
    ("Thomas Lee", "Thomas L"),
    ("Chen Li", "Chen L"),
    ("Nguyễn Văn An", "Nguyen V"),
    ("Nguyễn Văn An", "Nguyen VAB"),
    ("Nguyễn Văn An", "Nguyen VB"),
    ("Ann M. Lee", "Lee, Ann K."),
    ("Ann Lee", "The Ann Lee Study Group"),
    ("José García", "García Márquez, J."),
    ("José García Márquez", "García López, José"),
    ("José García López", "López Ruiz, José"),
    ("Mary Kim Lee", "Kim, Mary"),
    ("Omar Rahman", "Abd Rahman, Omar"),
    ("山田太郎", "山田 次郎"),
    ("Kate Brien", "O'Brien, Kate"),
    ("Elizabeth Donald", "MacDonald E"),
    ("Ann Smith", "Lee AB, Smith J"),
    ("Jo Lee", "Lee, Ann; Smith, Jo"),
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
