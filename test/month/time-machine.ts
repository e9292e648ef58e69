import { isDeepStrictEqual } from "node:util";
import type { MonthHistory, MonthStep } from "../model/month-history.ts";
import type { MonthModel } from "../model/month-model.ts";
import { openHistory, playStep } from "../model/play-month.ts";
import { connect } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { compare, type Difference } from "./compare-told.ts";
import { standingByBooks, standingByModel, wholeByBooks, wholeByModel } from "./month-told.ts";
import { type HistoryBooks, openHistoryBooks } from "./open-history.ts";
import { type HowPlayed, openPlayer, type Played } from "./play-history.ts";
import type { UsageCounts } from "./play-usage.ts";
import { whatOccurred } from "./what-occurred.ts";

export interface Journey {
  readonly difference: Difference | null;
  /** Counts of each outcome of each kind of step, and of what else happened in the books. */
  readonly occurred: ReadonlyMap<string, number>;
  /** The number of comparisons of all accounts. */
  readonly comparisons: number;
}

/**
 * Plays a history through the real books and the model, with its clock, and compares all accounts as
 * each month begins in UTC, when it has begun in every zone and the grace is over, after each run of the
 * scheduler, and at the end. At the turns: balance, lots with something left, subscription, add-ons, due
 * charges, and the number of entries, fees and low balances. These are append-only, so comparing all of
 * them at the end, with all lots, covers them at each turn.
 */
async function travel(
  books: HistoryBooks,
  history: MonthHistory,
  how: HowPlayed = {},
): Promise<Journey> {
  const model = openHistory(history);
  const player = openPlayer(books.database, history, how);
  const occurred = new Map<string, number>();
  let [comparisons, before, end] = [0, "", 0];
  const differ = (difference: Difference | null) => ({ difference, occurred, comparisons });
  try {
    for (const [at, together] of Map.groupBy(history.steps, (step) => step.at)) {
      end = at;
      const played = await player.play(together);
      const odd = compareOutcomes(together, played, model, occurred);
      if (odd !== null) return differ(odd);
      const turned = monthsTurned(at);
      const isTurn = turned !== before || together.some(({ kind }) => kind === "settle");
      before = turned;
      if (!isTurn) continue;
      comparisons += 1;
      const stood = standingByModel(model);
      const difference = compare(await standingByBooks(books.database), stood, at);
      if (difference !== null) return differ(difference);
    }
    comparisons += 1;
    const difference = compare(await wholeByBooks(books.database), wholeByModel(model), end);
    for (const [what, often] of await whatOccurred(books.database)) occurred.set(what, often);
    return differ(difference ?? (await whatIsBroken(books, end)));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return differ({ at: end, account: null, what: error.stack ?? error.message });
  }
}

/** The same in separate books, dropped afterwards. */
export async function travelAfresh(history: MonthHistory, how: HowPlayed = {}): Promise<Journey> {
  const books = await openHistoryBooks(history);
  try {
    return await travel(books, history, how);
  } finally {
    await books.close();
  }
}

/** Changes as a month begins in UTC, and when it has begun everywhere and the grace is over. */
function monthsTurned(at: number): string {
  const everywhere = at - (12 * 60 + 15) * 60_000;
  return [at, everywhere].map((instant) => new Date(instant).toISOString().slice(0, 7)).join(" ");
}

/** Plays the model, and compares its outcome of each step with the books'. */
function compareOutcomes(
  together: readonly MonthStep[],
  { outcomes, usage }: Played,
  model: MonthModel,
  occurred: Map<string, number>,
): Difference | null {
  const became: string[] = [];
  let difference: Difference | null = null;
  for (const step of together) {
    const outcome = playStep(model, step);
    const name = `${step.kind}: ${outcome}`;
    occurred.set(name, (occurred.get(name) ?? 0) + 1);
    if (!("account" in step)) continue;
    if (step.kind === "use") became.push(outcome);
    else if (outcomes.get(step) !== outcome) {
      const { at, account, kind } = step;
      difference ??= { at, account, what: `${kind}: ${outcomes.get(step)}, not ${outcome}` };
    }
  }
  return difference ?? compareUsage(usage, became, together[0]?.at ?? 0);
}

function compareUsage(
  { metered, repeats, deadLetters }: UsageCounts,
  became: readonly string[],
  at: number,
): Difference | null {
  const count = (what: string) => became.filter((outcome) => outcome === what).length;
  const expected = [count("metered"), count("repeat")];
  const found = [metered, repeats, deadLetters];
  expected.push(became.length - count("metered") - count("repeat"));
  if (isDeepStrictEqual(found, expected)) return null;
  const what = `${found} events are metered, repeats, dead letters, not ${expected}`;
  return { at, account: null, what };
}

/** With statements planned for their values. */
async function whatIsBroken({ url }: HistoryBooks, at: number): Promise<Difference | null> {
  const database = connect(url, 1);
  try {
    const [broken] = await brokenInvariants(database);
    return broken === undefined ? null : { at, account: null, what: broken };
  } finally {
    await database.end();
  }
}
