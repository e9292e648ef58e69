import { dismissedLetter, dismissedLetters } from "../../../shared/contract/dead-letter.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { type DeadLetterPlace, placeText } from "../../../shared/core/usage/dead-letter-place.ts";
import type { DeadLetterReason } from "../../../shared/core/usage/usage-event.ts";
import {
  dismissDeadLetter,
  dismissDeadLetters,
} from "../../../shared/ledger/dead-letters/dismiss.ts";
import type { Dismissal } from "../../../shared/ledger/dead-letters/read.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";

/** Who dismisses, and why. */
type By = Pick<Dismissal, "by" | "reason">;

export async function dismissOne(
  settings: Settings,
  place: DeadLetterPlace,
  { by, reason }: By,
): Promise<Result> {
  const outcome = await withDatabase(settings, (database) =>
    dismissDeadLetter(database, place, { at: Date.now(), by, reason }),
  );
  if (outcome.kind !== "dismissed") return refused(outcome);
  const name = placeText(place);
  return shown(
    dismissedLetter,
    { outcome: outcome.kind, place: name, dismissedBy: by, dismissedReason: reason },
    `Dead letter ${name} is dismissed and will not be metered.`,
  );
}

/** Dismisses all open dead letters of a reason, or of any. */
export async function dismissAll(
  settings: Settings,
  reason: DeadLetterReason | null,
  by: By,
): Promise<Result> {
  const dismissed = await withDatabase(settings, (database) =>
    dismissDeadLetters(database, { reason, now: Date.now() }, by),
  );
  if (dismissed === 0) return refused({ kind: "no_dead_letters", reason });
  return shown(
    dismissedLetters,
    { outcome: "dismissed", dismissed, dismissedBy: by.by, dismissedReason: by.reason },
    `${countOf(dismissed, "dead letter")} dismissed; they will not be metered.`,
  );
}
