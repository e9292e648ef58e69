import type { Command } from "commander";
import type { PageRequest } from "../../../shared/contract/cursor.ts";
import { wholeArgument } from "./arguments.ts";
import type { JsonOption } from "./run-command.ts";

export interface PageOptions extends JsonOption {
  readonly limit: string;
  readonly cursor?: string;
}

export const MOST_LISTED = 10_000;

/** Adds the options of a command that lists page by page. */
export function addPageOptions(command: Command, what = ""): Command {
  return command
    .option("--limit <count>", `how many ${what}to list, at most ${MOST_LISTED}`, "20")
    .option("--cursor <cursor>", "list the next page: the next_cursor of the page before");
}

export function pageArgument({ limit, cursor }: PageOptions): PageRequest {
  return { limit: limitArgument(limit), cursor };
}

/** Parses --limit; a larger number counts as the largest allowed. */
export function limitArgument(text: string): number {
  const count = wholeArgument("--limit", text, 1n);
  return count > MOST_LISTED ? MOST_LISTED : Number(count);
}

/** How to list the next page; no line after the last page. */
export function moreLines(nextCursor: string | null): string[] {
  return nextCursor === null ? [] : [`There are more: --cursor ${nextCursor}`];
}
