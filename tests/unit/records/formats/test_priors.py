import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tandem.records.formats import priors
from tandem.records.formats.entry import Prior
from unit.records.formats.tagged_lines import UNSTORABLE

RAYYAN = (
    'A note of the source. RAYYAN-INCLUSION: {"Ann B."=>"Included", "Ben"=>"Excluded", '
    '"俊"=>"Maybe"} | RAYYAN-LABELS: first batch,check | RAYYAN-EXCLUSION-REASONS: '
    'wrong population,foreign language | USER-NOTES: {"Ben"=>["Included? no, see p. 3"]}'
)
LABELS = ("first batch", "check")
REASONS = ("wrong population", "foreign language")


def test_rayyan_keeps_every_persons_decision() -> None:
    assert priors.rayyan(RAYYAN) == (
        Prior("include", "Ann B.", (), LABELS),
        Prior("exclude", "Ben", REASONS, LABELS),
        Prior("maybe", "俊", (), LABELS),
    )


@pytest.mark.parametrize(
    "note",
    [
        'RAYYAN-INCLUSION: {"Ann"=>"Excluded"}',
        '<p>RAYYAN-INCLUSION: {"Ann"=&gt;"Excluded"}</p>',
        "RAYYAN-INCLUSION: {&quot;Ann&quot;=&gt;&quot;Excluded&quot;}",
        'rayyan-inclusion : {"Ann" => "excluded"}',
        'RAYYAN-INCLUSION: {"Ann"=>false}',
        'RAYYAN-LABELS: \n| RAYYAN-INCLUSION: {"Ann"=>\n"Excluded"}',
    ],
)
def test_rayyan_as_other_programs_pass_it_on(note: str) -> None:
    assert priors.rayyan(note) == (Prior("exclude", "Ann"),)


def test_rayyan_twice_where_two_records_were_merged() -> None:
    notes = 'RAYYAN-INCLUSION: {"Ann"=>"Included"}\nRAYYAN-INCLUSION: {"Ann"=>"Excluded"}'
    assert priors.rayyan(notes) == (Prior("include", "Ann"), Prior("exclude", "Ann"))


@pytest.mark.parametrize(
    "note", ["", "Included", 'USER-NOTES: {"Ann"=>"Included"}', "RAYYAN-LABELS: a,b"]
)
def test_no_decision_where_rayyan_has_none(note: str) -> None:
    assert priors.rayyan(note) == ()


@pytest.mark.parametrize(
    ("note", "found"),
    [
        ("ASReview_relevant", (Prior("include"),)),
        ("<p>ASReview_irrelevant</p>", (Prior("exclude"),)),
        ("A note. ASReview_relevant. ASReview_prior", (Prior("include"),)),
        ("ASReview_not_seen", ()),
        ("ASReview_validate_relevant", ()),
        ("ASReview_relevant\nASReview_irrelevant", ()),
        ("ASReview_relevant\nasreview_user_name: Ann B.", (Prior("include", "Ann B."),)),
        ("relevant", ()),
    ],
)
def test_asreview(note: str, found: tuple[Prior, ...]) -> None:
    assert priors.asreview(note) == found


@pytest.mark.parametrize(
    ("cell", "verdict"),
    [
        *((cell, "include") for cell in ("1", "1.0", " yes ", "Included", "RELEVANT", "True")),
        *((cell, "exclude") for cell in ("0", "0.0", "No", "excluded", "not_relevant", "false")),
        *((cell, "maybe") for cell in ("maybe", "Unsure", "unclear")),
        *((cell, None) for cell in ("", "-1", "-1.0", "2", "nan", "x" * 100_000, "10", "no vote")),
    ],
)
def test_label(cell: str, verdict: str | None) -> None:
    assert priors.label(cell) == verdict


pieces = st.sampled_from(
    ["RAYYAN-INCLUSION:", "RAYYAN-LABELS:", "{", '"Ann"=>', '"Included"', "|", ",", "ASReview_"]
)


@given(st.lists(st.one_of(pieces, st.text(st.characters(codec=None))), max_size=30).map(" ".join))
@example('RAYYAN-LABELS: a\x00b\ud800 | RAYYAN-INCLUSION: {"A\x00"=>"Maybe"}')
@example("ASReview_relevant asreview_user_name: \x00\ud800A")
def test_any_text(text: str) -> None:
    for prior in (*priors.rayyan(text), *priors.asreview(text)):
        assert prior.verdict in {"include", "exclude", "maybe"}
        for word in (prior.by or "", *prior.labels, *prior.reasons):
            assert not UNSTORABLE.search(word)
    priors.label(text)
