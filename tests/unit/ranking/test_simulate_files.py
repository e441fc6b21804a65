"""Files of labelled records: what is read, and what is refused."""

import gzip
from pathlib import Path

import pytest

from tandem.errors import TandemError
from tandem.ranking.simulate_files import (
    LABEL_COLUMNS,
    UnreadableFile,
    UnusableLabels,
    read_labelled,
)
from unit.ranking.screened_files import N_RELEVANT, write


class TestReading:
    def test_plain_and_packed_files_are_the_same(self, tmp_path: Path, screened: Path) -> None:
        packed = read_labelled(write(tmp_path / "screened.csv.gz"))
        plain = read_labelled(screened)
        assert packed.texts == plain.texts
        assert packed.labels.tolist() == plain.labels.tolist()
        assert plain.labels.sum() == N_RELEVANT
        assert plain.file == str(screened)

    def test_cells_that_pandas_takes_for_missing_are_empty(self, tmp_path: Path) -> None:
        rows = [["NA", "none", "1"], ["", "null", "0"], ["Nano", "n/a", "0"]]
        read = read_labelled(write(tmp_path / "a.csv", rows))
        assert read.texts == [("", "none"), ("", ""), ("Nano", "")]

    def test_quoted_line_breaks_and_a_byte_order_mark_are_understood(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes('\ufefftitle,label\r\n"One, ""two""\r\nthree",1\r\n\r\nü,0\r\n'.encode())
        read = read_labelled(path)
        assert read.texts == [('One, "two"\r\nthree', ""), ("ü", "")]
        assert read.labels.tolist() == [1, 0]

    @pytest.mark.parametrize("mark", [";", "\t"])
    def test_tables_of_a_european_excel_are_understood(self, tmp_path: Path, mark: str) -> None:
        path = tmp_path / "a.csv"
        rows = [
            ("title", "abstract", "label"),
            ("One, two", '"a, b, c, d"', "1"),
            ("Three", "", "0"),
        ]
        path.write_text("\r\n".join(mark.join(row) for row in rows), "utf-8")
        read = read_labelled(path)
        assert read.texts == [("One, two", "a, b, c, d"), ("Three", "")]
        assert read.labels.tolist() == [1, 0]

    def test_a_packed_file_may_shout(self, tmp_path: Path) -> None:
        path = tmp_path / "A.CSV.GZ"
        path.write_bytes(gzip.compress(b"title,label\nA,1\n"))
        assert read_labelled(path).texts == [("A", "")]

    @pytest.mark.parametrize("column", LABEL_COLUMNS)
    def test_any_of_the_label_columns_will_do(self, tmp_path: Path, column: str) -> None:
        path = write(tmp_path / "a.csv", [["A", "1.0"], ["B", "False"]], f"title,{column}")
        assert read_labelled(path).labels.tolist() == [1, 0]

    def test_the_first_label_column_counts(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", [["A", "0", "1"]], "title,label,label_included")
        assert read_labelled(path).labels.tolist() == [1]

    @pytest.mark.parametrize("label", ["2", "-1", "", "yes", "0.5", "nan"])
    def test_other_labels_are_refused_by_the_number_of_their_record(
        self, tmp_path: Path, label: str
    ) -> None:
        path = write(tmp_path / "a.csv", [["A", "", "1"], ["B", "", label]])
        with pytest.raises(UnusableLabels, match=f"label of record 2 is '{label}'"):
            read_labelled(path)

    def test_for_a_file_without_labels_the_error_names_the_columns(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", [["A", "B"]], "title,abstract")
        with pytest.raises(UnusableLabels, match="label_included, included, label"):
            read_labelled(path)

    def test_a_file_without_texts_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFile, match="neither a title nor an abstract"):
            read_labelled(write(tmp_path / "a.csv", [["A", "1"]], "name,label"))

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFile, match=r"There is no file .*nothing\.csv"):
            read_labelled(tmp_path / "nothing.csv")

    @pytest.mark.parametrize(
        ("name", "content", "reason"),
        [
            ("a.csv", b"title,label\nA\xff,1\n", "not in UTF-8"),
            ("a.csv", b"title,label\nA,1,2\n", "record 1 has more cells"),
            ("a.csv", b'title,label\n"A,1\n', "not a well-formed CSV"),
            ("a.csv.gz", b"title,label\nA,1\n", "cannot be read"),
            ("a.csv.gz", gzip.compress(b"title,label\nA,1\n")[:-9], "cannot be read"),
            ("a.csv", b"", "no label column"),
        ],
        ids=["encoding", "ragged", "open quote", "not packed", "cut off", "empty"],
    )
    def test_a_broken_file_is_one_clear_sentence(
        self, tmp_path: Path, name: str, content: bytes, reason: str
    ) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(TandemError, match=reason) as caught:
            read_labelled(tmp_path / name)
        assert "\n" not in str(caught.value)
