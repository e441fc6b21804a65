"""XML of the WHO's register of trial registers (ICTRP): `<Trial>` with an element for each field.

Fields are called as in its tables, so `columns` tells them.
"""

from lxml.etree import _Element as Element

from tandem.records.formats.assembly import Parts
from tandem.records.formats.table.cells import parts
from tandem.records.formats.table.columns import columns_of
from tandem.records.formats.xml import reader as xml

_CUT = xml.Cut(
    names="trial",
    inside="trialid|trial_id|public_title|scientific_title",
    then=r"\s*<(?:internal_number|trialid|trial_id|main|last_refreshed_on|public_title)\b",
    any_case=True,
)


def _parts(trial: Element) -> Parts:
    leaves = [each for each in trial.iter() if len(each) == 0 and xml.text_of(each).strip()]
    columns = columns_of([str(each.tag) for each in leaves])
    return parts(
        {
            field: [" ".join(xml.text_of(leaves[at]).split()) for at in places]
            for field, places in columns.items()
        }
    )


ICTRP_XML = xml.XmlReader(_CUT, _parts)
