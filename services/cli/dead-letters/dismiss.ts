import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import type { DeadLetterReason } from "../../../shared/core/usage/usage-event.ts";
import {
  dismissDeadLetter,
  dismissDeadLetters,
} from "../../../shared/ledger/dead-letters/dismiss.ts";
import type { Dismissal } from "../../../shared/ledger/dead-letters/read.ts";
import { type DeadLetterPlace, placeText } from "../../../shared/ledger/usage/dead-letters.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";
import { dismissedText, noneOpen, unknownPlace } from "./refusals.ts";

/** Who dismisses, and why. */
type Said = Pick<Dismissal, "by" | "reason">;

export async function dismissOne(
  settings: Settings,
  place: DeadLetterPlace,
  said: Said,
): Promise<Result> {
  const outcome = await withDatabase(settings, (database) =>
    dismissDeadLetter(database, place, { at: Date.now(), ...said }),
  );
  const called = placeText(place);
  switch (outcome.kind) {
    case "dismissed":
      return shown(
        { outcome: outcome.kind, place: called, ...saidJson(said) },
        `Dead letter ${called} is dismissed and stays unmetered.`,
      );
    case "unknown_place":
      return refused(unknownPlace(place));
    case "dismissed_already":
      return refused(dismissedText(place, outcome.dismissed));
    case "retried":
      return refused(
        `dead letter ${called} was published again at ${formatInstant(outcome.at)}; if that became a dead letter, dismiss the new one`,
      );
  }
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
  if (count === 0) return refused(noneOpen(reason));
  const one = "dead letter";
  return shown(
    { outcome: "dismissed", dismissed: count, ...saidJson(said) },
    `${countOf(count, `${one} is`, `${one}s are`)} dismissed and stay unmetered.`,
  );
}

function saidJson({ by, reason }: Said) {
  return { dismissed_by: by, dismissed_reason: reason };
}
