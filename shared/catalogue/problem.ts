import type { Place } from "../core/offer/requested-catalogue.ts";

/** What is wrong in a catalogue file, where, and what to do. `field` is empty for the file as a whole. */
export interface Problem extends Place {
  readonly problem: string;
}

const MOST_SHOWN = 120;

/** Shortens a text of the file for use in a sentence. */
export function short(text: string): string {
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}...`;
}
