import type { components } from "./schema";
import { texts } from "../texts/en";

export type Problem = components["schemas"]["Problem"];

/** The API refused a request; `problem` says why, for people and for programs. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

/** No answer came: no connection, or the server is not running. */
export class Unreachable extends Error {
  constructor() {
    super(texts.problem.unreachable);
  }
}

export function codeOf(error: unknown): Problem["code"] | null {
  return error instanceof Refused ? error.problem.code : null;
}

/** Returns a sentence for people, whatever went wrong. */
export function sentence(error: unknown): string {
  if (error instanceof Refused || error instanceof Unreachable) return error.message;
  return texts.problem.unexpected;
}
