import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.records.formats import reading
from tandem.records.formats.bibtex import entries as bibtex
from tandem.records.formats.bibtex.latex import to_plain
from tandem.records.formats.entry import Entry, Kind, Prior, Rejection
from unit.records.formats.tagged_lines import any_text, only, read, titles

WHOLE = r"""@Article{Okafor_2019,
  author   = {Okafor, Ada and Lind, Bo},
  title    = {{Sleep} and memory in caf{\'e} workers},
  journal  = "Journal of Rest",
  year     = 2019,
  volume   = {7}, number = {2},
  pages    = {101--109},
  doi      = {10.1234/Rest\_2019},
  pmid     = {31234567},
  url      = {https://example.org/~ada/a_b?c=%20d},
  keywords = {sleep, older adults},
  language = {English},
  abstract = {People sleep 50\% of the time.
              We asked them.}
}"""


def test_a_record_is_read_whole() -> None:
    assert only(bibtex, WHOLE) == Entry(
        title="Sleep and memory in café workers",
        abstract="People sleep 50% of the time. We asked them.",
        authors=("Okafor, Ada", "Lind, Bo"),
        year=2019,
        journal="Journal of Rest",
        volume="7",
        issue="2",
        pages="101-109",
        doi="10.1234/rest_2019",
        pmid="31234567",
        url="https://example.org/~ada/a_b?c=%20d",
        keywords=("sleep", "older adults"),
        language="English",
        ref="Okafor_2019",
        raw=WHOLE,
        kind=Kind.ARTICLE,
    )


def test_biblatex_as_zotero_writes_it() -> None:
    entry = only(
        bibtex,
        """@inproceedings{lind,
  title = {Walking}, subtitle = {A Trial}, date = {2018-04-03}, journaltitle = {Steps},
  eventtitle = {The Walkers' Meeting}, langid = {german}, eprint = {2212345}, eprinttype = {pubmed},
  author = {family=Lind, given=Bo}, location = {Oslo}, note = {Publisher: X}
}""",
    )
    assert (entry.title, entry.year, entry.journal) == ("Walking: A Trial", 2018, "Steps")
    assert (entry.language, entry.pmid, entry.kind) == ("german", "2212345", Kind.CONFERENCE)


def test_web_of_science_braces_twice() -> None:
    entry = only(
        bibtex,
        """@article{ WOS:000123,
Author = {Okafor, A. and Lind, B.},
Title = {{Sleep: a
   review}},
Article-Number = {{e12}},
Keywords-Plus = {{HEALTH; MEMORY, LONG}},
Type = {{Review}},
Unique-ID = {{WOS:000123}},
}""",
    )
    assert (entry.title, entry.pages, entry.ref) == ("Sleep: a review", "e12", "WOS:000123")
    assert entry.keywords == ("HEALTH", "MEMORY, LONG")


def test_a_preprint_is_recognised_by_its_archive() -> None:
    entry = only(
        bibtex, "@misc{a, title={T}, eprint={2101.00001v2}, archivePrefix={arXiv}, year={2021}}"
    )
    assert entry.kind is Kind.PREPRINT
    assert (entry.doi, entry.url) == (
        "10.48550/arxiv.2101.00001",
        "https://arxiv.org/abs/2101.00001",
    )


def test_document_types_tell_more_than_entry_types() -> None:
    text = "@article{{a, title={{T}}, document_type={{{}}}}}"
    kinds = [only(bibtex, text.format(t)).kind for t in ("Erratum", "Conference Paper", "Article")]
    assert kinds == [Kind.ERRATUM, Kind.CONFERENCE, Kind.ARTICLE]


@pytest.mark.parametrize(
    ("authors", "names"),
    [
        ("{World Health Organization} and Lind, Bo", ("World Health Organization", "Lind, Bo")),
        ("{Smith and Jones Group}", ("Smith and Jones Group",)),
        ("Ada Okafor AND\n  Lind, Bo and others", ("Ada Okafor", "Lind, Bo")),
        (r"G{\"o}del, K. and Erd\H{o}s, P.", ("Gödel, K.", "Erdős, P.")),
        ("Okafor, A., Lind, B., Ray, C.", ("Okafor, A.", "Lind, B.", "Ray, C.")),
        ("Alexander, A and Sandhand, B", ("Alexander, A", "Sandhand, B")),
    ],
)
def test_authors(authors: str, names: tuple[str, ...]) -> None:
    assert only(bibtex, f"@book{{a, title={{T}}, author={{{authors}}}}}").authors == names


@pytest.mark.parametrize(
    ("keywords", "terms"),
    [
        ("{a, b, c}", ("a", "b", "c")),
        ("{a, x; b, y}", ("a, x", "b, y")),
        ("{{health, mental}, sleep}", ("health, mental", "sleep")),
        ("{{health, mental}}", ("health, mental",)),
    ],
)
def test_keywords(keywords: str, terms: tuple[str, ...]) -> None:
    assert only(bibtex, f"@book{{a, title={{T}}, keywords={keywords}}}").keywords == terms


def test_names_defined_by_strings_are_put_in() -> None:
    text = """@string{rest = "Journal of Rest"}
@STRING(full = rest # {, Part~A})
@article{a, title = "T " # {U} # " V", journal = FULL, month = jan # "~1", year = 2001}"""
    entry = only(bibtex, text)
    assert (entry.title, entry.journal, entry.year) == ("T U V", "Journal of Rest, Part A", 2001)


def test_strings_made_of_strings_do_not_grow_without_end() -> None:
    laughs = "".join(f"@string{{s{n + 1} = s{n} # s{n}}}\n" for n in range(60))
    text = f'@string{{s0 = "ha"}}\n{laughs}@article{{a, title = {{T}}, journal = s60}}'
    assert titles(bibtex, text) == ["T"]


@pytest.mark.parametrize(
    "text",
    [
        "@article(k, title={T})",
        "@article{, title={T}}",
        "@article{title={T}, year=2000}",
        "@article{k title={T}, year=2000}",
        "@article{k, title={T}, title={U}}",
        '@article{k, title="T", year={2000}',
        "@article{k,\n title={T}\n year={2000}\n}",
        "@article{k,\n title={T}},\n year={2000}\n}",
        "@article{k,\n title={T},\n keywords={a {b},\n year={2000}\n}",
        "@article{k,\n title={T},,\n year={2000}\n}",
        "   @ ARTICLE {k, title={T}}",
        "@article{a key with spaces, title={T}}",
        '% Encoding: UTF-8\nAnything\n@comment{x, y}\n@preamble{"p"}\n@article{k, title={T}}',
    ],
)
def test_dialects_and_slips(text: str) -> None:
    assert titles(bibtex, text) == ["T"]


@pytest.mark.parametrize(
    "broken",
    [
        "@article{k, title={Never closed, year=2000}\n",
        '@article{k, title="Never closed, year=2000}\n',
        "@article{k, title={T} and more {U}}\n",
        "@article{k\n",
        "@article{k, year={2000}}\n",
        "@article{k, ti",
    ],
)
def test_a_malformed_record_is_one_rejection(broken: str) -> None:
    first, rejected, last = read(bibtex, f"{WHOLE}\n\n{broken}\n{WHOLE}")
    assert isinstance(rejected, Rejection)
    assert rejected.excerpt.startswith("@article{k")
    assert isinstance(first, Entry)
    assert first == last


def test_records_on_one_line() -> None:
    assert titles(bibtex, "@article{a, title={A}}@book{b, title={B}} @book{c, title={C}}") == [
        "A", "B", "C"
    ]  # fmt: skip


def test_an_at_sign_within_a_value_begins_nothing() -> None:
    text = "@article{a, title={Write to x@y.org},\n abstract={\n  @home we {sleep} @ {NIGHT}}}"
    assert titles(bibtex, text) == ["Write to x@y.org"]


def test_decisions_of_rayyan() -> None:
    note = 'RAYYAN-INCLUSION: {"Ann"=>"Included", "Bo"=>"Excluded"} | RAYYAN-LABELS: later'
    entry = only(bibtex, f"@article{{a, title={{T}}, note={{{note}}}}}")
    assert entry.priors == (
        Prior("include", "Ann", (), ("later",)), Prior("exclude", "Bo", (), ("later",))
    )  # fmt: skip


@pytest.mark.parametrize(
    ("latex", "plain"),
    [
        (r"\'{e}\`a\^{\i}\~n{\"o}\c{c}\v{S}\H o\.z\k{a}\r a\u{g}\={a}", "éàîñöçŠőżąåğā"),
        (r"{\ss} {\o}re {\AA}s {\L}ukasz \ae", "ß øre Ås Łukasz æ"),
        (r"$\alpha$-$\beta_2$, CO$_2$, m\textsuperscript{2}, $p<0.05$", "α-β2, CO2, m2, p<0.05"),
        (r"\emph{E. coli} \& \textbf{50\%} of A\_B \#1", "E. coli & 50% of A_B #1"),
        (r"\textbackslash{}'e \textasciitilde{} \~{} \{x\}", r"\'e ~ ~ {x}"),
        (r"costs $5 and $10", "costs $5 and $10"),
        (r"C:\new", r"C:\new"),
        ("50% of them", "50% of them"),
    ],
)
def test_latex(latex: str, plain: str) -> None:
    assert to_plain(latex) == plain


@pytest.mark.parametrize("text", ["@media screen { color: red }", "a@b.c {x}", "@article", "@a{b"])
def test_what_is_not_bibtex_is_not_claimed(text: str) -> None:
    assert bibtex.begins(text) is None


def test_it_is_distinguished_from_other_formats() -> None:
    assert reading.read(f"Title,Year\n{WHOLE}".encode()).format == "csv"
    assert reading.read(f"\ufeff% of the title, a note\n\n{WHOLE}".encode()).format == "bibtex"


nasty = st.sampled_from(["{", "}", '"', "\\", "#", ",", "=", "@", "\n", "$", "and", "%", "(", ")"])
mess = st.lists(st.one_of(nasty, st.text("ab \n", max_size=4)), max_size=25).map("".join)


@given(mess.filter(lambda text: "@" not in text))
def test_a_mangled_record_never_costs_its_neighbours(text: str) -> None:
    found = read(bibtex, f"{WHOLE}\n@article{{x, {text}\n{WHOLE}")
    # The mangled one, and what stands behind its closing brace.
    assert 3 <= len(found) <= 4
    assert isinstance(found[0], Entry)
    assert found[0] == found[-1]


@given(st.one_of(any_text, mess.map("@article{a, title = ".__add__), mess))
def test_anything_is_read_to_its_end(text: str) -> None:
    read(bibtex, text)
    to_plain(text)


def test_an_entry_without_a_key_is_reported() -> None:
    assert titles(
        bibtex, "% made by hand\n@TechReport{\n  author = {Lind, Bo},\n  title = {T}\n}\n"
    ) == ["T"]
