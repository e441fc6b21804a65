"""From bytes to text, in whichever of the encodings in use the bytes are."""

import codecs
import re

from charset_normalizer import from_bytes

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 4096
_WESTERN = ["cp1252", "mac_roman"]
_OTHERS = ["cp1251", "koi8_r", "cp1253", "gb18030", "big5", "cp932", "euc_jp", "cp949", "cp1252"]
_OTHER_SCRIPT = re.compile(rb"[\x80-\xff]{4}")
_LEGACY_SEARCHED = 4_000_000
_LEGACY_SAMPLE = 50_000
_NON_ASCII_LINE = re.compile(rb"[^\n\r]*[\x80-\xff][^\n\r]*")
_FEW = 20
"""So many bytes that are not UTF-8 in a file that is tell no other encoding."""

_UNDECODED = re.compile("[\udc80-\udcff]")


def to_text(data: bytes) -> str:
    r"""Return `data` as text with `\n` line ends and no byte order mark. Never raises.

    A mark decides; then UTF-16 that is plain to see; then UTF-8 even with single bytes that
    are not, which are read as Windows-1252; then whichever older encoding fits best, line by
    line where others are in UTF-8.
    """
    text = _decoded(data).removeprefix("\ufeff")
    if "\r" in text:
        # "\r\r\n" comes of a text that was converted to Windows line ends twice.
        text = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    return text


def _decoded(data: bytes) -> str:
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), None)
    encoding = encoding or _unmarked_utf16(data)
    if encoding not in (None, "utf-8"):
        return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
    undecoded = sum(1 for _ in _UNDECODED.finditer(text))
    decoded = len(text) - undecoded - sum(map(text.count, map(chr, range(128))))
    if encoding == "utf-8" or (decoded > undecoded and undecoded < _FEW):
        return _UNDECODED.sub(_as_windows_1252, text)
    if not decoded:
        return data.decode(_legacy(data), "replace")
    return _line_by_line(data)


def _line_by_line(data: bytes) -> str:
    """Return text of which some lines are in UTF-8 and others in an older encoding.

    Files that were joined are so; the older lines together tell which encoding that is.
    """
    lines = data.splitlines(keepends=True)
    older = [line for line in lines if not _is_utf8(line)]
    encoding = _legacy(b"".join(older))
    return "".join(
        line.decode("utf-8") if _is_utf8(line) else line.decode(encoding, "replace")
        for line in lines
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _unmarked_utf16(data: bytes) -> str | None:
    """Name the UTF-16 whose every other byte is NUL, as in mostly Latin text."""
    sample = data[:_SAMPLE]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    mostly = len(sample) * 0.35
    if odd > mostly and even < odd / 10:
        return "utf-16-le"
    return "utf-16-be" if even > mostly and odd < even / 10 else None


def _legacy(data: bytes) -> str:
    # Lines in plain ASCII tell nothing, and reading a large file whole would take minutes.
    lines = _NON_ASCII_LINE.findall(data[:_LEGACY_SEARCHED])
    sample = b"\n".join(lines)[:_LEGACY_SAMPLE]
    # In Latin script accented letters stand single. Then western encodings alone compete: to
    # a detector a sentence of French may as well be cp1250, which is by far the rarer.
    among = _OTHERS if _OTHER_SCRIPT.search(sample) else _WESTERN
    best = from_bytes(sample, cp_isolation=among).best()
    return best.encoding if best else "cp1252"


def _as_windows_1252(undecoded: re.Match[str]) -> str:
    return bytes([ord(undecoded[0]) - 0xDC00]).decode("cp1252", "replace")
