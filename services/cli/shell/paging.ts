import type { Command } from "commander";
import type { PageAsked } from "../../../shared/contract/cursor.ts";
import { wholeArgument } from "./arguments.ts";
import type { JsonOption } from "./run-command.ts";

export interface PageOptions extends JsonOption {
  readonly limit: string;
  readonly cursor?: string;
}

const MOST_LISTED = 10_000;

/** Adds the options of a command that lists page by page. */
export function addPageOptions(command: Command, what = ""): Command {
  return command
    .option("--limit <count>", `how many ${what}to list, at most ${MOST_LISTED}`, "20")
    .option("--cursor <cursor>", "go on where the page before ended: its next_cursor");
}

export function pageArgument({ limit, cursor }: PageOptions): PageAsked {
  const count = wholeArgument("--limit", limit, 1n);
  return { limit: count > MOST_LISTED ? MOST_LISTED : Number(count), cursor };
}

/** The line behind a page that is not the last; none behind the last. */
export function moreLines(nextCursor: string | null): string[] {
  return nextCursor === null ? [] : [`There are more: --cursor ${nextCursor}`];
}
