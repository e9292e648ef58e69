import type { Place } from "../core/asked-catalogue.ts";

/** What is wrong with a catalogue file, where, and what to do. `field` is empty for the file itself. */
export interface Problem extends Place {
  readonly problem: string;
}
