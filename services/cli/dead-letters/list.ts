import { deadLetter, deadLetterPage } from "../../../shared/contract/dead-letter.ts";
import { listOf } from "../../../shared/contract/page.ts";
import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { placeText } from "../../../shared/core/usage/dead-letter-place.ts";
import type { DeadLetterReason } from "../../../shared/core/usage/usage-event.ts";
import {
  type ListedDeadLetter,
  listDeadLetters,
} from "../../../shared/ledger/dead-letters/list.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument } from "../shell/arguments.ts";
import { moreLines, type PageOptions, pageArgument } from "../shell/paging.ts";
import { table } from "../shell/print.ts";
import { type Result, shown } from "../shell/result.ts";
import { withDatabase } from "../shell/with-database.ts";

export interface ListOptions extends PageOptions {
  readonly reason?: DeadLetterReason;
  readonly account?: string;
  readonly all?: true;
}

const MOST_DETAIL = 100;

export async function listLetters(settings: Settings, options: ListOptions): Promise<Result> {
  const which = {
    reason: options.reason ?? null,
    accountId: options.account === undefined ? null : accountIdArgument(options.account),
    decided: options.all === true,
  };
  const page = await withDatabase(settings, (database) =>
    deadLetterPage(pageArgument(options), (range) => listDeadLetters(database, which, range)),
  );
  const text =
    page.items.length === 0
      ? `There are no ${which.decided ? "such" : "such open"} dead letters.`
      : [asTable(page.items), ...moreLines(page.nextCursor)].join("\n");
  return shown(listOf(deadLetter), page, text);
}

function asTable(letters: readonly ListedDeadLetter[]): string {
  return table(letters, [
    ["PLACE", placeText],
    ["REASON", ({ reason }) => reason],
    ["ACCOUNT", ({ accountId }) => accountId ?? "unknown"],
    ["RECORDED", ({ recordedAt }) => formatInstant(recordedAt)],
    ["STATE", ({ state }) => state],
    ["", ({ detail }) => cut(detail, MOST_DETAIL)],
  ]);
}

/** Shortens long text. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most).toWellFormed()}...`;
}
