import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import type { DeadLetterReason } from "../../../shared/core/usage/usage-event.ts";
import type { Dismissal } from "../../../shared/ledger/dead-letters/read.ts";
import { type DeadLetterPlace, placeText } from "../../../shared/ledger/usage/dead-letters.ts";

/** Why nothing is done about a dead letter, in a sentence each. */

export function unknownPlace(place: DeadLetterPlace): string {
  return `there is no dead letter at ${placeText(place)}; dead-letters list shows them`;
}

export function dismissedText(place: DeadLetterPlace, { at, by, reason }: Dismissal): string {
  return `dead letter ${placeText(place)} was dismissed by ${by} at ${formatInstant(at)}: ${reason}`;
}

export function noneOpen(reason: DeadLetterReason | null): string {
  return reason === null
    ? "no dead letter waits for a decision"
    : `no dead letter of reason ${reason} waits for a decision`;
}
