/** Languages as files name them, for the `lang` of a text: it decides how a screen reader speaks. */

const CODES =
  "af am ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km ko lt lv mk ml mn mr ms my nb ne nl nn no pa pl ps pt ro ru sk sl sq sr sv sw ta te th tl tr uk ur uz vi zh".split(" ");
/** The three letters that MEDLINE writes: those that begin with the two of the code, and others. */
const BEGIN_ALIKE = "afr ara bul cat dan eng fin fra fre heb hin hun ita kor nep nor rus swa tam tel tha urd vie".split(" ");
const BIBLIOGRAPHIC: Record<string, string> = {
  ger: "de", deu: "de", dut: "nl", nld: "nl", spa: "es", chi: "zh", zho: "zh", gre: "el", ell: "el", cze: "cs", ces: "cs",
  por: "pt", pol: "pl", swe: "sv", tur: "tr", jpn: "ja", rum: "ro", ron: "ro", per: "fa", fas: "fa", ice: "is", isl: "is",
  slv: "sl", slo: "sk", slk: "sk", srp: "sr", scr: "hr", hrv: "hr", est: "et", lav: "lv", lit: "lt", ukr: "uk", ben: "bn", ind: "id", arm: "hy", kaz: "kk", gle: "ga",
};

const codes = new Map<string, string>();

/** The code of a language, or undefined where its name says nothing that a browser understands. */
export function languageCode(name: string | null): string | undefined {
  const word = (name ?? "").trim().toLowerCase();
  if (CODES.includes(word.slice(0, 2)) && /^[a-z]{2}(-[a-z0-9]{2,8})*$/.test(word)) return word;
  if (BIBLIOGRAPHIC[word] !== undefined) return BIBLIOGRAPHIC[word];
  if (BEGIN_ALIKE.includes(word)) return word.slice(0, 2);
  if (codes.size === 0) {
    const names = new Intl.DisplayNames("en", { type: "language" });
    for (const code of CODES) codes.set((names.of(code) ?? code).toLowerCase(), code);
  }
  return codes.get(word);
}
