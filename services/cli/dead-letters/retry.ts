import { z } from "zod";
import { noun } from "../../../shared/contract/noun.ts";
import { countOf } from "../../../shared/core/text/text.ts";
import { type DeadLetterPlace, placeText } from "../../../shared/core/usage/dead-letter-place.ts";
import type { DeadLetterReason } from "../../../shared/core/usage/usage-event.ts";
import {
  type Retried,
  retryDeadLetter,
  retryDeadLetters,
} from "../../../shared/ledger/dead-letters/retry.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";

const retriedOne = noun({ outcome: z.enum(["asked", "asked_already"]), place: z.string() });
const retriedAll = noun({
  outcome: z.literal("asked"),
  asked: z.number().int(),
  asked_already: z.number().int(),
  without_bytes: z.number().int(),
});

/** Asks for one dead letter to be published again. */
export async function retryOne(settings: Settings, place: DeadLetterPlace): Promise<Result> {
  const outcome = await withDatabase(settings, (database) =>
    retryDeadLetter(database, place, Date.now()),
  );
  const called = placeText(place);
  switch (outcome.kind) {
    case "asked":
      return shown(
        retriedOne,
        { outcome: outcome.kind, place: called },
        `Dead letter ${called} is to be published again.\n` +
          `What comes of it: drawdown dead-letters show ${called}`,
      );
    case "asked_already":
      return shown(
        retriedOne,
        { outcome: outcome.kind, place: called },
        `Dead letter ${called} is to be published again already; the services do so where they run.`,
      );
    default:
      return refused(outcome);
  }
}

/** Asks for all open dead letters of a reason, or of any, to be published again. */
export async function retryAll(
  settings: Settings,
  reason: DeadLetterReason | null,
): Promise<Result> {
  const retried = await withDatabase(settings, (database) =>
    retryDeadLetters(database, { reason, now: Date.now() }),
  );
  const { asked, askedAlready, withoutBytes } = retried;
  if (asked + askedAlready + withoutBytes === 0)
    return refused({ kind: "no_dead_letters", reason });
  if (asked + askedAlready === 0) {
    const have = countOf(withoutBytes, "open dead letter has", "open dead letters have");
    return refused(`${have} no bytes to publish again; dismiss them`);
  }
  return shown(retriedAll, { outcome: "asked", ...retried }, retriedText(retried));
}

function retriedText({ asked, askedAlready, withoutBytes }: Retried): string {
  const one = "dead letter";
  return [
    `${countOf(asked, `${one} is`, `${one}s are`)} to be published again.`,
    ...(askedAlready === 0
      ? []
      : [`${countOf(askedAlready, "more is", "more are")} to be already.`]),
    ...(withoutBytes === 0
      ? []
      : [`${countOf(withoutBytes, "has", "have")} no bytes and cannot be: dismiss them.`]),
  ].join("\n");
}
