/** Numbers, days and lists as people write them. */
const language = "en";

const whole = new Intl.NumberFormat(language);
const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" });
const moment = new Intl.DateTimeFormat(language, {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const list = new Intl.ListFormat(language, { type: "conjunction" });
const plurals = new Intl.PluralRules(language);

export const number = (n: number): string => whole.format(n);
export const onDay = (time: string): string => day.format(new Date(time));
export const at = (time: string): string => moment.format(new Date(time));
export const listed = (items: readonly string[]): string => list.format(items);

/** "1 record", "1,528 records". */
export function count(n: number, one: string, many: string): string {
  return `${number(n)} ${plurals.select(n) === "one" ? one : many}`;
}

export const percent = (share: number): string => `${Math.round(share * 100)}\u00a0%`;
const significant = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });

/** "3.14", "0.0271", "1,340": three figures, whatever the size. */
export const ratio = (value: number): string => significant.format(value);
export const decimals = (value: number): string => value.toFixed(2).replace(/^(-?)0\./, "$1.");

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** "3 hours ago", "yesterday". */
export function ago(time: string, now = Date.now()): string {
  const seconds = (new Date(time).getTime() - now) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return relative.format(0, "minute");
}
