"""XML of the WHO's register of trial registers (ICTRP): `<Trial>` with an element for each field.

Fields are called as in its tables, so `columns` tells them.
"""

from lxml.etree import _Element as Element

from tandem.records.formats.assembly import Parts
from tandem.records.formats.table.cells import named
from tandem.records.formats.xml import reader as xml
from tandem.records.formats.xml import tree

_CUT = xml.Cut(
    names="trial",
    inside="trialid|trial_id|public_title|scientific_title",
    then=r"\s*<(?:internal_number|trialid|trial_id|main|last_refreshed_on|public_title)\b",
    any_case=True,
)


def _parts(trial: Element) -> Parts:
    leaves = [each for each in trial.iter() if len(each) == 0 and tree.text_of(each).strip()]
    return named((str(each.tag), " ".join(tree.text_of(each).split())) for each in leaves)


ICTRP_XML = xml.XmlReader(_CUT, _parts)
