import { type Json, printable } from "./print.ts";

/** What a command has to say in the end. Outages and wrong usage are thrown instead. */
export type Result =
  | {
      readonly kind: "shown";
      readonly data: Json;
      readonly text: string;
      /** One sentence when what is shown is not as it should be. */
      readonly failure: string | null;
    }
  /** All it has to show is written to standard output already. */
  | { readonly kind: "written"; readonly failure: string | null }
  /** It was not done, or there is no such thing: one sentence why. */
  | { readonly kind: "refused"; readonly sentence: string };

export function shown(data: Json, text: string, failure: string | null = null): Result {
  return { kind: "shown", data, text, failure };
}

export function refused(sentence: string): Result {
  return { kind: "refused", sentence: printable(sentence) };
}

/** What was typed cannot be meant: exit code 2. */
export class WrongUsage extends Error {}

/** A server cannot be reached or used; the message says which one and where. Exit code 1. */
export class PartUnavailable extends Error {}
