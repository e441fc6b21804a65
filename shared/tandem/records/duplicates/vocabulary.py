"""Words that decide what a title says about two records being one work.

All are folded as titles are: lower case, without accents.
"""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


OTHER_WORK = _set(
    """
    abstracts addendum appendix author authors comment commentary comments concern corrected
    correction corrections corrigenda corrigendum editorial errata erratum letter part protocol
    protocols re rejoinder replies reply reprint republished respond response responses retracted
    retraction supplement supplementary withdrawal withdrawn
    antwort berichtigung erwiderung kommentar protokoll teil
    commentaire partie protocole reponse
    comentario correccion correcao parte protocolo replica resposta respuesta
    ответ исправление опечатка протокол часть
    بروتوكول تصحيح رد الجزء
    """
)
"""In one title only, these make it another work about the first, or another part of it."""

OTHER_WORK_WITHIN = ("勘误", "勘誤", "更正", "訂正", "撤稿", "撤回", "回复", "答复", "评论", "方案")
"""The same in scripts that set no spaces."""

GENERIC = _set(
    """
    a an and at by for from in its of on or our s the this to with your
    abstract abstracts acknowledgement acknowledgements acknowledgment acknowledgments
    announcement announcements annual answer answers article articles author authors award awards
    board book books calendar case cases clinical comment commentary comments conference congress
    content contents contributors correction corrections corrigendum correspondence cover debate
    diary discussion editor editorial editorials editors errata erratum events foreword front
    guest highlights image images index international introduction introductory invited issue
    issues journal keynote letter letters list masthead matter meeting meetings message
    miscellaneous national new news note notes notice notices obituary opinion oral original
    overview paper papers perspective perspectives poster posters preface presentation
    presentations president presidential proceedings program programme quarterly question
    questions quiz re reader readers reflections reply report reports research response responses
    retraction review reviewer reviewers reviews round roundtable scientific section selected
    session sessions society special spotlight summaries summary supplement symposium table thanks
    title update updates viewpoint viewpoints welcome workshop
    buchbesprechung einleitung leserbrief vorwort
    avant editeur lettre propos
    carta cartas director editoriales editorialis editor introduccion prologo resena resenas
    письмо редактору редакционная статья предисловие введение рецензия
    """
)
"""A title of nothing but these names a kind of text, and is had by thousands."""

SMALL = _set(
    "a an and as at by for from in into its of on or s the their to vs versus"
    " der die das und de la le les el los y et e и в на"
)
"""Words that sources leave out or exchange."""

NUMBERS = {
    **{"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xi": "11"},
    **{"xii": "12", "xiii": "13", "xiv": "14", "xv": "15", "one": "1", "two": "2", "three": "3"},
    **{"four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10"},
    **{"二": "2", "三": "3", "四": "4", "五": "5", "六": "6", "七": "7", "八": "8", "九": "9"},
}

COUNTED = _set(
    """
    angiotensin chapter class collagen complex factor grade group level paper part parts phase
    report section series stage study trial type types volume
    """
)
"""After these a single I, V or X is a number."""

GREEK = {
    **{"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta"},
    **{"η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi"},
    **{"π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi", "ψ": "psi"},
    "ω": "omega",
}

OPPOSITES = (
    *(("hypo", "hyper"), ("pre", "post"), ("intra", "extra"), ("intra", "inter")),
    *(("macro", "micro"), ("homo", "hetero"), ("male", "female"), ("men", "women")),
    *(("man", "woman"), ("with", "without"), ("in", "out"), ("increas", "decreas")),
    *(("endo", "exo"), ("mono", "poly"), ("pro", "anti"), ("up", "down"), ("over", "under")),
)
"""Beginnings that turn a word into its counterpart, though only a letter or two differ."""

NOTICES = {
    **dict.fromkeys(
        _set("erratum errata corrigendum corrigenda correction corrections"), "erratum"
    ),
    **dict.fromkeys(_set("retraction retracted withdrawn withdrawal"), "retraction"),
    "protocol": "protocol",
}
"""Words that begin or end a title which otherwise is that of the work it is about."""

BESIDE_NOTICES = _set(
    """
    a an and article author authors for in note notice of on paper publication published publisher
    study that the this title to trial
    """
)
"""Words that stand beside those, and are no part of the other title either."""
