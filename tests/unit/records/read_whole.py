"""Two small files, and how to read a file to its end."""

from tandem.records.formats import reading
from tandem.records.formats.entry import Entry, Rejection
from tandem.records.formats.reading import Format

RIS = """TY  - JOUR
TI  - Sleep and memory in older adults
AU  - Okafor, Ada
AU  - Lind, Bo
PY  - 2019///
JF  - Journal of Rest
VL  - 7
IS  - 2
SP  - 101
EP  - 109
DO  - https://doi.org/10.1234/Rest.2019.7.
AB  - Background: people sleep.
Methods: we asked them.
KW  - sleep
memory
UR  - https://example.org/a;b
LA  - English
AN  - R-1
ER  -
"""


NBIB = """PMID- 01234567
OWN - NLM
DP  - 2018 Apr
TI  - Walking after surgery: a
      trial.
LID - 10.1234/walk.18 [doi]
PG  - 11-9
AB  - BACKGROUND: Walking
      helps.
FAU - Rossi, Carla
AU  - Rossi C
FAU - Wang, Yu
AU  - Wang Y
LA  - eng
JT  - Annals of walking
VI  - 3
OT  - gait
MH  - Aged
MH  - *Walking/physiology

"""


def entries(text: str | bytes, format: Format | None = None) -> list[Entry]:
    found = everything(text, format)
    assert all(isinstance(item, Entry) for item in found), found
    return [item for item in found if isinstance(item, Entry)]


def everything(text: str | bytes, format: Format | None = None) -> list[Entry | Rejection]:
    result = reading.read(text.encode() if isinstance(text, str) else text, format)
    found = list(result.entries)
    assert len(found) == result.total
    return found


def only(text: str | bytes) -> Entry:
    (entry,) = entries(text)
    return entry
