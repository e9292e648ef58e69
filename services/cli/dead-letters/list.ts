import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { placeText } from "../../../shared/core/usage/dead-letter-place.ts";
import type { DeadLetterReason } from "../../../shared/core/usage/usage-event.ts";
import {
  type ListedDeadLetter,
  listDeadLetters,
} from "../../../shared/ledger/dead-letters/list.ts";
import type { Settings } from "../../../shared/runtime/settings.ts";
import { accountIdArgument, limitArgument } from "../shell/arguments.ts";
import { instantJson, table } from "../shell/print.ts";
import { type Result, shown } from "../shell/result.ts";
import type { JsonOption } from "../shell/run-command.ts";
import { withDatabase } from "../shell/with-database.ts";

export interface ListOptions extends JsonOption {
  readonly reason?: DeadLetterReason;
  readonly account?: string;
  readonly all?: true;
  readonly limit: string;
}

export const MOST_LETTERS = 10_000;
const MOST_DETAIL = 100;

export async function listLetters(settings: Settings, options: ListOptions): Promise<Result> {
  const asked = {
    reason: options.reason ?? null,
    accountId: options.account === undefined ? null : accountIdArgument(options.account),
    decided: options.all === true,
  };
  const limit = limitArgument(options.limit, MOST_LETTERS);
  const read = await withDatabase(settings, (database) =>
    listDeadLetters(database, asked, { before: null, limit: limit + 1 }),
  );
  const letters = read.slice(0, limit);
  const areMore = read.length > limit;
  const json = { dead_letters: letters.map(listedJson), more: areMore };
  if (letters.length === 0) return shown(json, noneText(asked.decided));
  return shown(json, `${asTable(letters)}${areMore ? `\n${moreText(limit)}` : ""}`);
}

/** What list and show have in common. */
export function listedJson(letter: ListedDeadLetter) {
  return {
    place: placeText(letter),
    ...{ topic: letter.topic, partition: letter.partition, offset: letter.offset },
    ...{ account_id: letter.accountId, reason: letter.reason, detail: letter.detail },
    ...{ recorded_at: instantJson(letter.recordedAt), state: letter.state },
  };
}

function asTable(letters: readonly ListedDeadLetter[]): string {
  const titles = ["PLACE", "REASON", "ACCOUNT", "RECORDED", "STATE", ""];
  return table(
    titles.map((title) => ({ title })),
    letters.map((letter) => [
      ...[placeText(letter), letter.reason, letter.accountId ?? "not known"],
      ...[formatInstant(letter.recordedAt), letter.state, cut(letter.detail, MOST_DETAIL)],
    ]),
  );
}

/** Text that may be long, up to so many characters. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most).toWellFormed()}...`;
}

function noneText(decided: boolean): string {
  return decided ? "There are no such dead letters." : "No such dead letter waits for a decision.";
}

function moreText(limit: number): string {
  return limit < MOST_LETTERS
    ? "There are earlier ones: a larger --limit lists them."
    : `There are earlier ones, but at most ${MOST_LETTERS} are listed.`;
}
