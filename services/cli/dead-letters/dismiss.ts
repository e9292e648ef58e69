import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
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
type Said = Pick<Dismissal, "by" | "reason">;

const fields = {
  outcome: z.literal("dismissed"),
  dismissed_by: z.string(),
  dismissed_reason: z.string(),
};
const dismissedOne = noun({ place: z.string(), ...fields });
const dismissedAll = noun({ dismissed: z.number().int(), ...fields });

export async function dismissOne(
  settings: Settings,
  place: DeadLetterPlace,
  said: Said,
): Promise<Result> {
  const outcome = await withDatabase(settings, (database) =>
    dismissDeadLetter(database, place, { at: Date.now(), ...said }),
  );
  const called = placeText(place);
  if (outcome.kind !== "dismissed") return refused(outcome);
  return shown(
    dismissedOne,
    { outcome: outcome.kind, place: called, ...told(said) },
    `Dead letter ${called} is dismissed and stays unmetered.`,
  );
}

/** Dismisses all open dead letters of a reason. */
export async function dismissAll(
  settings: Settings,
  reason: DeadLetterReason | null,
  said: Said,
): Promise<Result> {
  const count = await withDatabase(settings, (database) =>
    dismissDeadLetters(database, { reason, now: Date.now() }, said),
  );
  if (count === 0) return refused({ kind: "no_dead_letters", reason });
  const one = "dead letter";
  return shown(
    dismissedAll,
    { outcome: "dismissed", dismissed: count, ...told(said) },
    `${countOf(count, `${one} is`, `${one}s are`)} dismissed and stay unmetered.`,
  );
}

function told({ by, reason }: Said) {
  return { dismissedBy: by, dismissedReason: reason };
}
