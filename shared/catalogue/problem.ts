import type { Place } from "../core/offer/requested-catalogue.ts";

/** What is wrong with a catalogue file, where, and what to do. `field` is empty for the file itself. */
export interface Problem extends Place {
  readonly problem: string;
}

const MOST_SHOWN = 120;

/** What a file says, or says wrongly, in a sentence about it. */
export function short(text: string): string {
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}...`;
}
