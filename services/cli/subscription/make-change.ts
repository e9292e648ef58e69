import type { Command } from "commander";
import type { Change } from "../../../shared/core/changes/subscription-change.ts";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { isDatabaseOutage } from "../../../shared/ledger/postgres/outage.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, byArgument } from "../shell/arguments.ts";
import { noAccount, PartUnavailable, type Result, refused, shown } from "../shell/result.ts";
import { addCommand, type CommandHelp, type JsonOption } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";
import { changedText, madeChange, toMadeChange } from "./changed-text.ts";
import { readSubscription } from "./read-subscription.ts";

/** The options of every command that makes a change which the history tells. */
export interface ByOption extends JsonOption {
  readonly by?: string;
}

/** Adds a command that makes such a change. */
export function addChangeCommand(parent: Command, usage: string, about: CommandHelp): Command {
  return addCommand(parent, usage, about).option(
    "--by <who>",
    "who asks, for the history (default: your user name)",
  );
}

/** Whose account is changed, and who asks. */
export interface Asked {
  readonly accountId: AccountId;
  readonly by: string;
}

export function toAsked(id: string, { by }: ByOption): Asked {
  return { accountId: accountIdArgument(id), by: byArgument(by) };
}

/** Makes a change and says what came of it. */
export async function makeChange(
  settings: Settings,
  { accountId, by }: Asked,
  change: Change,
): Promise<Result> {
  const outcome = await withDatabase(settings, (database) =>
    changeSubscription(database, { accountId, by, now: Date.now() }, change).catch(
      (error: unknown) => {
        throw isDatabaseOutage(error) ? unknownOutcome() : error;
      },
    ),
  );
  if (outcome.kind !== "changed") return refused(outcome);
  const read = await readSubscription(settings, accountId);
  if (read === null) return noAccount(accountId);
  return shown(madeChange, toMadeChange(outcome, read), changedText(outcome));
}

/** A change says how things shall be, not by how much they shall differ, so it is made once. */
function unknownOutcome(): PartUnavailable {
  return new PartUnavailable(
    "the connection to Postgres was lost and the change may be made or not; ask for it again, which cannot make it twice",
  );
}
