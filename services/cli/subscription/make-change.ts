import type { Change } from "../../../shared/core/changes/paying-fees.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { type ByOption, type ChangeRequest, toRequest } from "../shell/change-command.ts";
import { noAccount, type Result, refused, shown } from "../shell/result.ts";
import { run } from "../shell/run-command.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";
import { changedText, madeChange, toMadeChange } from "./changed-text.ts";
import { readSubscription } from "./read-subscription.ts";

/** Runs a command that makes `change`. */
export function runChange(id: string, options: ByOption, change: Change): Promise<void> {
  return run(options, (settings) => makeChange(settings, toRequest(id, options), change));
}

async function makeChange(
  settings: Settings,
  { accountId, by }: ChangeRequest,
  change: Change,
): Promise<Result> {
  // A change states the new state, not a difference, so running it twice makes it once.
  const outcome = await withDatabase(settings, (database) =>
    orUnknown(
      changeSubscription(
        database,
        { accountId, by, now: Date.now() },
        change,
        settings.paymentAttemptsPerHour,
      ),
      "the change may or may not have been made; run it again, which cannot make it twice",
    ),
  );
  if (outcome.kind !== "changed") return refused(outcome);
  const subscription = await readSubscription(settings, accountId);
  if (subscription === null) return noAccount(accountId);
  return shown(
    madeChange,
    toMadeChange(outcome, subscription),
    changedText(outcome, subscription.now),
  );
}
