import { idProblem, toAccountId } from "../../shared/core/text.ts";
import type { UsageEvent } from "../../shared/core/usage-event.ts";
import type { DeadLetterPlace } from "../../shared/ledger/dead-letters.ts";
import { findUsageRecord } from "../../shared/ledger/explain-usage.ts";
import { readDeadLetter } from "../../shared/ledger/read-dead-letter.ts";
import { readSnapshot } from "../../shared/ledger/read-snapshot.ts";
import type { Settings } from "../../shared/runtime/settings.ts";
import { readEvent } from "./dead-letter-event.ts";
import { unknownPlace } from "./dead-letter-refusals.ts";
import { shownJson, shownText } from "./dead-letter-show-text.ts";
import { type Result, refused, shown } from "./result.ts";
import { withDatabase } from "./with-database.ts";

export async function showLetter(settings: Settings, place: DeadLetterPlace): Promise<Result> {
  return withDatabase(settings, async (database) => {
    const letter = await readDeadLetter(database, place);
    if (letter === null) return refused(unknownPlace(place));
    const event = await readEvent(settings, letter);
    const record = await readSnapshot(database, async (transaction) => {
      if (typeof event === "string" || !hasIdentity(event)) return null;
      return findUsageRecord(transaction, toAccountId(event.accountId), event.eventId);
    });
    const read = { letter, event, record };
    return shown(shownJson(read), shownText(read));
  });
}

function hasIdentity({ accountId, eventId }: UsageEvent): boolean {
  return idProblem("account_id", accountId) === null && idProblem("event_id", eventId) === null;
}
