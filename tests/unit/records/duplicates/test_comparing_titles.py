import pytest

from tandem.records.duplicates.title_relation import TitleRelation, title_relation
from tandem.records.duplicates.titles import plain_title, read_title

SLEEP = "Sleep of older nurses who work at night"


def of(one: str, other: str) -> TitleRelation:
    a, b = read_title(one), read_title(other)
    found = title_relation(a, b)
    assert title_relation(b, a) is found
    return found


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("  Sleep & Shift-Work: a REVIEW. ", "sleep shift work a review"),
        ("Ｓｌｅｅｐ", "sleep"),
        ("Søvn på natten; Łódź, ß", "sovn pa natten lodz ss"),
        ("Сон медсестёр — обзор", "сон медсестер обзор"),
        ("护士睡眠质量的研究", "护士睡眠质量的研究"),
        ("نوم الممرضات", "نوم الممرضات"),
        ("…", ""),
    ],
)
def test_a_plain_title_keeps_the_letters_of_every_script(title: str, plain: str) -> None:
    assert plain_title(title) == plain


@pytest.mark.parametrize(
    "title",
    [
        SLEEP.upper() + ".",
        "[" + SLEEP + "]",
        SLEEP + " [Article in German]",
        SLEEP + ". [Russian]",
        SLEEP + " (author's transl)",
        SLEEP + ".[Erratum appears in J Sleep. 2011 Mar;26(2):244 Note: Lim [corrected to Lym]]",
        SLEEP.replace("night", "ni-ght"),
    ],
)
def test_the_same_title_set_otherwise_is_equal(title: str) -> None:
    assert of(SLEEP, title) is TitleRelation.EQUAL


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Expression of TNF-α in the ageing lung", "Expression of TNF-alpha in the ageing lung"),
        ("A phase II trial of GLP-1 in rats", "A phase 2 trial of GLP1 in rats"),
        ("Collagen type I and III in scars", "Collagen type 1 and 3 in scars"),
    ],
)
def test_greek_letters_and_numerals_have_one_form(one: str, other: str) -> None:
    assert of(one, other) is TitleRelation.EQUAL


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (SLEEP, SLEEP.replace("nurses", "nuress"), TitleRelation.MISSPELT),
        (SLEEP, "The " + SLEEP, TitleRelation.MISSPELT),
        (SLEEP, SLEEP.replace("older ", ""), TitleRelation.ALIKE),
        (SLEEP + " in mice", SLEEP + " in rats", TitleRelation.REWORDED),
        (SLEEP, SLEEP + ": results of 120 interviews", TitleRelation.SHORTENED),
        (SLEEP, "Original article: " + SLEEP, TitleRelation.SHORTENED),
        (SLEEP, "Meals in hospital canteens", TitleRelation.DIFFERENT),
        (
            "老年护士夜班睡眠质量的观察:大鼠",
            "老年护士夜班睡眠质量的观察:小鼠",
            TitleRelation.REWORDED,
        ),
        (SLEEP, "Сон пожилых медсестёр, работающих ночью", TitleRelation.UNKNOWN),
        (SLEEP, "", TitleRelation.UNKNOWN),
    ],
)
def test_how_titles_relate(one: str, other: str, expected: TitleRelation) -> None:
    assert of(one, other) is expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SLEEP + ", part 1", SLEEP + ", part 2"),
        (SLEEP + " I", SLEEP + " II"),
        (SLEEP, SLEEP + " 2"),
        (SLEEP + " in 2019", SLEEP + " in 2020"),
        (SLEEP, SLEEP + ": protocol of a trial"),
        (SLEEP, "Erratum: " + SLEEP),
        (SLEEP, SLEEP + ". Reply"),
        (SLEEP, "Retracted: " + SLEEP),
        ("Hypotension in people on dialysis", "Hypertension in people on dialysis"),
        ("Breathing in people with severe asthma", "Breathing in people without severe asthma"),
        ("老年护士夜班睡眠质量的观察与分析(一)", "老年护士夜班睡眠质量的观察与分析(二)"),
        ("老年护士夜班睡眠质量的观察与分析", "老年护士夜班睡眠质量的观察与分析:研究方案"),
        ("Сон пожилых медсестер на работе", "Сон пожилых медсестер на работе: протокол"),
    ],
)
def test_a_word_or_number_may_make_it_another_work(one: str, other: str) -> None:
    assert of(one, other) is TitleRelation.OTHER_WORK


def test_what_stands_in_brackets_within_a_title_stays() -> None:
    one = "The sleep diary (English): use by nurses"
    assert of(one, "The sleep diary (English): use by pilots") is not TitleRelation.EQUAL
    assert of(SLEEP, SLEEP + " [reply]") is TitleRelation.OTHER_WORK


@pytest.mark.parametrize(
    "title",
    ["Editorial", "Letter to the Editor", "In this issue", "Abstracts of the 32nd annual meeting"],
)
def test_a_title_that_names_a_kind_of_text_is_generic(title: str) -> None:
    assert read_title(title).is_generic
    assert not read_title(SLEEP).is_generic


def test_ideographs_weigh_more_than_letters() -> None:
    assert read_title("老年护士夜班睡眠质量的观察与分析").is_telling
    assert not read_title("睡眠研究").is_telling
