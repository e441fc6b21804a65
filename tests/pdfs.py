"""Makes small PDFs, good and hostile ones, without any library."""

import zlib
from collections.abc import Mapping, Sequence

from tandem.demo.replay import papers

packed = papers.packed


def stream(content: bytes, *, entries: bytes = b"", packed: bool = False) -> bytes:
    if packed:
        content, entries = zlib.compress(content, 9), entries + b"/Filter/FlateDecode"
    return b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(content), entries, content)


def _string(text: str) -> bytes:
    return b"<feff" + text.encode("utf-16-be").hex().encode() + b">"


def _shown(lines: Sequence[str], size: int) -> bytes:
    out = [b"BT /F1 %d Tf 50 780 Td %d TL" % (size, size + 4)]
    for line in lines:
        raw = line.encode("cp1252").replace(b"\\", b"\\\\")
        raw = raw.replace(b"(", b"\\(").replace(b")", b"\\)")
        out.append(b"(%s) Tj T*" % raw)
    return b"\n".join([*out, b"ET"])


def pdf(
    *pages: Sequence[str],
    info: Mapping[str, str] | None = None,
    extra: Sequence[bytes] = (),
    catalog: bytes = b"",
    trailer: bytes = b"",
    size: int = 11,
) -> bytes:
    """Return a PDF with these lines on each page.

    `extra`: objects behind all others. The first of them has the number 4 + 2 × pages.
    """
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
    kids = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R%s>>" % catalog,
        b"<</Type/Pages/Kids[%s]/Count %d/MediaBox[0 0 595 842]>>" % (kids, len(pages)),
        font,
    ]
    for n, lines in enumerate(pages):
        objects.append(
            b"<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>"
            % (5 + 2 * n)
        )
        objects.append(stream(_shown(lines, size)))
    objects += extra
    if info:
        objects.append(
            b"<<%s>>" % b"".join(b"/%s%s" % (k.encode(), _string(v)) for k, v in info.items())
        )
        trailer += b"/Info %d 0 R" % len(objects)
    return papers.assembled(objects, trailer)


def encrypted() -> bytes:
    """Return a PDF that opens with a password that nobody knows."""
    lock = b"<</Filter/Standard/V 1/R 2/Length 40/P -4/O<%s>/U<%s>>>" % (b"ab" * 32, b"cd" * 32)
    same = b"/Encrypt %d 0 R/ID[<%s><%s>]" % (6, b"ef" * 16, b"ef" * 16)
    return pdf(["Secret"], extra=[lock], trailer=same)


def bomb(megabytes: int = 1500) -> bytes:
    """Return a small PDF whose one page unpacks, twice packed, to so much."""
    inner = zlib.compressobj(9)
    blank = b" " * (1 << 20)
    # After a full flush each megabyte packs to the same bytes: packing all takes five seconds.
    first, next_one = (inner.compress(blank) + inner.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    twice = zlib.compress(first + next_one * (megabytes - 1), 9)
    content = b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>\nstream\n%s\nendstream"
    return papers.assembled(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>",
            b"<</Type/Page/Parent 2 0 R/Resources<<>>/Contents 4 0 R>>",
            content % (len(twice), twice),
        ]
    )


def loop() -> bytes:
    """Return a PDF whose page tree holds itself, and whose page draws a form that draws itself."""
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>"
    return papers.assembled(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2/MediaBox[0 0 595 842]>>",
            b"<</Type/Page/Parent 2 0 R/Resources<</XObject<</X 5 0 R>>>>/Contents 4 0 R>>",
            stream(b"/X Do"),
            stream(b"/X Do", entries=form),
        ]
    )


def laughs(depth: int = 40) -> bytes:
    """Return a PDF whose page draws a form that draws another twice, and so on."""
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X %d 0 R>>>>"
    return papers.assembled(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>",
            b"<</Type/Page/Parent 2 0 R/Resources<</XObject<</X 5 0 R>>>>/Contents 4 0 R>>",
            stream(b"/X Do"),
            *(stream(b"/X Do /X Do", entries=form % (6 + k)) for k in range(depth - 1)),
            stream(b"", entries=form % 1),
        ]
    )


def many_pages(n: int) -> bytes:
    """Return a PDF of `n` empty pages."""
    kids = b" ".join(b"%d 0 R" % (3 + i) for i in range(n))
    tree = b"<</Type/Pages/Kids[%s]/Count %d/MediaBox[0 0 9 9]>>" % (kids, n)
    return papers.assembled(
        [b"<</Type/Catalog/Pages 2 0 R>>", tree, *[b"<</Type/Page/Parent 2 0 R>>"] * n]
    )


def scan() -> bytes:
    """Return a PDF with a picture and no text."""
    picture = stream(
        bytes(64),
        entries=b"/Type/XObject/Subtype/Image/Width 8/Height 8/ColorSpace/DeviceGray"
        b"/BitsPerComponent 8",
    )
    return papers.assembled(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]>>",
            b"<</Type/Page/Parent 2 0 R/Resources<</XObject<</I 5 0 R>>>>/Contents 4 0 R>>",
            stream(b"q 500 0 0 700 40 60 cm /I Do Q"),
            picture,
        ]
    )


def with_script(*lines: str) -> bytes:
    """Return a PDF that runs a script when it is opened."""
    script = b"<</S/JavaScript/JS(app.alert\\('x'\\); while\\(true\\){})>>"
    return pdf(lines, extra=[script], catalog=b"/OpenAction 6 0 R")


def with_attachment(*lines: str) -> bytes:
    """Return a PDF that holds another file."""
    file = stream(b"MZ not a program", entries=b"/Type/EmbeddedFile")
    named = b"<</Type/Filespec/F(setup.exe)/EF<</F 6 0 R>>>>"
    names = b"/Names<</EmbeddedFiles<</Names[(setup.exe) 7 0 R]>>>>"
    return pdf(lines, extra=[file, named], catalog=names)
