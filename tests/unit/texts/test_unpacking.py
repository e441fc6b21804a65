"""A damaged zip is refused in words, however its files are packed."""

import io
import zipfile

import pytest

from tandem.texts.unpacking import UnreadableZip, members


@pytest.mark.parametrize(
    "packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_STORED]
)
def test_a_damaged_file_is_named_as_such(packing: int) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", packing) as archive:
        archive.writestr("a.pdf", bytes(range(256)) * 400)
    raw = bytearray(made.getvalue())
    for place in range(50, 150):
        raw[place] ^= 0x5A

    with pytest.raises(UnreadableZip, match="damaged"):
        list(members(io.BytesIO(bytes(raw)), largest=1 << 20, most=1 << 24))
