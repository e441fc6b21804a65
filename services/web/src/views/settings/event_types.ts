import { CONCERNS } from "../../api/events";
import type { Schemas } from "../../api/client";

/** Every type of event that a webhook may ask for; the compiler keeps the list whole. */
export const EVENT_TYPES = Object.keys(CONCERNS).filter(
  (type): type is Schemas["EventType"] => type !== "tandem.import.progress",
);
