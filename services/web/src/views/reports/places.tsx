import { Link } from "wouter-preact";
import type { Review } from "../../api/queries";
import { reportTexts as say } from "./texts";

export type Place = "list" | "screen" | "files" | "studies";

/** The ways about full texts: their list, screening, many files, studies. */
export function Places({ review, here }: { review: Review; here: Place }) {
  const isOpen = review.archived_at === null && review.role !== "observer";
  const at = `/r/${review.id}/reports`;
  const places: [Place, string][] = [["list", at]];
  if (isOpen) places.push(["screen", `${at}/screen`], ["files", `${at}/files`]);
  places.push(["studies", `${at}/studies`]);
  return (
    <nav class="tabs" aria-label={say.title}>
      {places.map(([place, href]) => (
        <Link key={place} href={href} class={place === here ? "here" : ""} aria-current={place === here ? "page" : undefined}>
          {say.places[place]}
        </Link>
      ))}
    </nav>
  );
}
