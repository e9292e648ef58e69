import { retriedLetter, retriedLetters } from "../../../shared/contract/dead-letter.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { type DeadLetterPlace, placeText } from "../../../shared/core/usage/dead-letter-place.ts";
import type { DeadLetterReason } from "../../../shared/core/usage/usage-event.ts";
import {
  type Retried,
  retryDeadLetter,
  retryDeadLetters,
} from "../../../shared/ledger/dead-letters/retry.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { byArgument } from "../shell/arguments.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";

/** Requests a retry; the services publish the dead letter again. */
export async function retryOne(settings: Settings, place: DeadLetterPlace): Promise<Result> {
  const outcome = await withDatabase(settings, (database) =>
    retryDeadLetter(database, place, Date.now(), byArgument(undefined)),
  );
  if (outcome.kind !== "asked" && outcome.kind !== "asked_already") return refused(outcome);
  const name = placeText(place);
  return shown(
    retriedLetter,
    { outcome: outcome.kind, place: name },
    outcome.kind === "asked"
      ? `Dead letter ${name} will be published again.\nTo follow it: drawdown dead-letters show ${name}`
      : `Dead letter ${name} is waiting to be published again already; running services do it within seconds.`,
  );
}

/** Requests a retry of all open dead letters of a reason, or of any. */
export async function retryAll(
  settings: Settings,
  reason: DeadLetterReason | null,
): Promise<Result> {
  const retried = await withDatabase(settings, (database) =>
    retryDeadLetters(database, { reason, now: Date.now() }, byArgument(undefined)),
  );
  return retried.kind === "asked"
    ? shown(retriedLetters, { outcome: retried.kind, ...retried }, retriedText(retried))
    : refused(retried);
}

function retriedText({ asked, askedAlready, withoutBytes, cut }: Retried): string {
  const lines = [`${countOf(asked, "dead letter")} will be published again.`];
  if (askedAlready > 0) {
    lines.push(`${countOf(askedAlready, "more is", "more are")} waiting for it already.`);
  }
  if (withoutBytes > 0) {
    lines.push(`${countOf(withoutBytes, "has", "have")} no bytes to publish again: dismiss them.`);
  }
  if (cut > 0) {
    const were = countOf(cut, "dead letter was", "dead letters were");
    lines.push(`${were} too large to be kept whole: publish again from the topic, or dismiss.`);
  }
  return lines.join("\n");
}
