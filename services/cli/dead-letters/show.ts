import { idProblem, toAccountId } from "../../../shared/core/text/text.ts";
import { type DeadLetterPlace, placeText } from "../../../shared/core/usage/dead-letter-place.ts";
import type { UsageEvent } from "../../../shared/core/usage/usage-event.ts";
import { readDeadLetter } from "../../../shared/ledger/dead-letters/read.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { findUsageRecord } from "../../../shared/ledger/usage/explain.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { type Result, refused, shown } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";
import { readEvent } from "./event.ts";
import { shownLetter, shownText, toShownLetter } from "./show-text.ts";

export async function showLetter(settings: Settings, place: DeadLetterPlace): Promise<Result> {
  return withDatabase(settings, async (database) => {
    const letter = await readDeadLetter(database, place);
    if (letter === null) return refused({ kind: "unknown_dead_letter", place: placeText(place) });
    const event = await readEvent(settings, letter);
    const record = await readSnapshot(database, async (transaction) => {
      if (typeof event === "string" || !hasIdentity(event)) return null;
      return findUsageRecord(transaction, toAccountId(event.accountId), event.eventId);
    });
    const read = { letter, event, record };
    return shown(shownLetter, toShownLetter(read), shownText(read));
  });
}

function hasIdentity({ accountId, eventId }: UsageEvent): boolean {
  return idProblem("account_id", accountId) === null && idProblem("event_id", eventId) === null;
}
