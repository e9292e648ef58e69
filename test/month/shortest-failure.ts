import type { MonthHistory } from "../model/month-history.ts";
import { historyAsCode, onlyOf, shorten } from "../model/shorten-history.ts";
import type { Difference } from "./compare-told.ts";
import type { HowPlayed } from "./play-history.ts";
import { type Journey, travelAfresh } from "./time-machine.ts";

/** Each try plays a candidate in its own books, which takes a fifth of a second. */
const TRIES = 250;

/**
 * Reports the difference after the shortest history that has one, as code to paste: `expect((await
 * travelAfresh(<history>)).difference).toBeNull()`.
 */
export async function describeFailure(
  history: MonthHistory,
  difference: Difference,
  how: HowPlayed = {},
): Promise<string> {
  const { seed, accounts } = history;
  const when = new Date(difference.at).toISOString();
  const whole = `seed ${seed}, ${accounts.length} accounts, at ${when}, account ${difference.account}: ${difference.what}`;
  const own = accounts.filter(({ id }) => id === difference.account);
  const candidates = [own, accounts.slice(0, 100)].filter((some) => some.length > 0);
  for (const some of candidates) {
    const until = upTo(onlyOf(history, some), difference.at);
    if ((await travelAfresh(until, how)).difference === null) continue;
    const fails = async (shorter: MonthHistory) => differs(await travelAfresh(shorter, how));
    const short = await shorten(until, fails, { tries: TRIES });
    const { difference: left } = await travelAfresh(short, how);
    return `${whole}\n\nShortened: ${left?.account}: ${left?.what}, after\n${historyAsCode(short)}`;
  }
  return `${whole}\n\nIt is not to be had with fewer accounts.`;
}

function upTo(history: MonthHistory, end: number): MonthHistory {
  return { ...history, steps: history.steps.filter(({ at }) => at <= end) };
}

function differs({ difference }: Journey): boolean {
  return difference !== null;
}
