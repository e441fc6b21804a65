/** One field for a decision's reasons: the page gives one, but a program or a file may have given several. */

/** What the field shows for them; null for none. */
export const shown = (reasons: readonly string[]): string | null => (reasons.length === 0 ? null : reasons.join(" · "));

/** What is sent for a choice: all that were there, if they are chosen still. */
export function chosen(choice: string, before: readonly string[]): string[] {
  if (choice === "") return [];
  return choice === shown(before) ? [...before] : [choice];
}
