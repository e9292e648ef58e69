import type { Command } from "commander";
import type { AccountId } from "../../../shared/core/line/account.ts";
import { accountIdArgument, byArgument } from "./arguments.ts";
import { addCommand, type CommandHelp, type JsonOption } from "./run-command.ts";

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
