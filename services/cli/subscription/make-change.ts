import type { Command } from "commander";
import type { Change } from "../../../shared/core/changes/paying-fees.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, byArgument } from "../shell/arguments.ts";
import { noAccount, type Result, refused, shown } from "../shell/result.ts";
import { addCommand, type CommandHelp, type JsonOption, run } from "../shell/run-command.ts";
import { orUnknown, withDatabase } from "../shell/with-database.ts";
import { changedText, madeChange, toMadeChange } from "./changed-text.ts";
import { readSubscription } from "./read-subscription.ts";

/** The options of every command whose change is kept in a history. */
export interface ByOption extends JsonOption {
  readonly by?: string;
}

/** Adds a command that makes such a change. */
export function addChangeCommand(parent: Command, usage: string, about: CommandHelp): Command {
  return addCommand(parent, usage, about).option(
    "--by <who>",
    "who makes the change, for the history (default: your user name)",
  );
}

/** Which account is changed, and who changes it. */
export interface ChangeRequest {
  readonly accountId: AccountId;
  readonly by: string;
}

export function toRequest(id: string, { by }: ByOption): ChangeRequest {
  return { accountId: accountIdArgument(id), by: byArgument(by) };
}

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
