import type { DeadLetterReason } from "../../../shared/core/usage/usage-event.ts";

/** Why an event is not taken; the same reasons as those of dead letters. */
export interface Refusal {
  readonly kind: "refused";
  readonly reason: DeadLetterReason;
  /** Where in the event, such as `subject` or `data.quantity`. */
  readonly field: string;
  readonly detail: string;
}

/** `problem` is what is wrong with the field, or with the event where that is empty: "is missing". */
export function malformed(field: string, problem: string): Refusal {
  const detail = `${field === "" ? "the event" : field} ${problem}`;
  return { kind: "refused", reason: "malformed", field, detail };
}
