import type { DeadLetterReason } from "../../../shared/core/usage/usage-event.ts";

/** Why an event is not accepted, by the reasons of dead letters. */
export interface Refusal {
  readonly kind: "refused";
  readonly reason: DeadLetterReason;
  /** A field of the event, such as `subject` or `data.quantity`. */
  readonly field: string;
  readonly detail: string;
}

/** `problem` completes a sentence about the field ("is missing"), or about the event if `field` is empty. */
export function malformed(field: string, problem: string): Refusal {
  const detail = `${field === "" ? "the event" : field} ${problem}`;
  return { kind: "refused", reason: "malformed", field, detail };
}
