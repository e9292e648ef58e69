import type { Catalogue } from "../../shared/core/offer/catalogue.ts";
import type { Rate } from "../../shared/core/offer/rate-card.ts";
import { HISTORY_CATALOGUE, HISTORY_RATES } from "../model/history-catalogue.ts";
import type { AccountStep, MonthHistory, MonthStep } from "../model/month-history.ts";
import type { MonthModel } from "../model/month-model.ts";
import { openHistory, playStep, usageOf } from "../model/play-month.ts";
import { historyAsCode, shorten } from "../model/shorten-history.ts";
import { compare, type Difference } from "../month/compare-told.ts";
import { wholeOfModel } from "../month/month-told.ts";
import { type CoreBooks, openCoreBooks } from "./core-books.ts";
import { wholeByCore } from "./core-told.ts";
import { playCommand } from "./play-core.ts";

/** What the core is played with; the model always knows the histories' own. */
interface Offer {
  readonly catalogue: Catalogue;
  readonly rates: readonly Rate[];
}

export const OFFER: Offer = {
  catalogue: { ...HISTORY_CATALOGUE, creditPrices: new Map() },
  rates: HISTORY_RATES,
};
const MONTH = 30 * 24 * 60 * 60_000;
const TRIES = 3_000;

type UseStep = Extract<AccountStep, { kind: "use" }>;

export interface Simulated {
  /** Null: the core and the model agree. */
  readonly difference: Difference | null;
  /** How often each kind of step had each outcome. */
  readonly occurred: ReadonlyMap<string, number>;
}

/**
 * Plays a history through the core, on books in memory, and through the model, and compares the outcome of
 * each step, every account's balance month by month, and everything that ever existed at the end.
 */
export function simulate(history: MonthHistory, offer: Offer = OFFER): Simulated {
  const books = openCoreBooks(history.accounts, offer);
  const model = openHistory(history);
  const occurred = new Map<string, number>();
  let [at, month] = [0, -1];
  try {
    for (const part of partsOf(history.steps)) {
      at = part[0].at;
      const odd = playPart(books, model, part, offer, occurred);
      if (odd !== null) return { difference: odd, occurred };
      if (Math.floor(at / MONTH) === month) continue;
      month = Math.floor(at / MONTH);
      const unequal = compareBalances(books, model, at);
      if (unequal !== null) return { difference: unequal, occurred };
    }
    return { difference: compareAll(books, model, at), occurred };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { difference: { at, account: null, what: error.stack ?? error.message }, occurred };
  }
}

/** The shortest history found that still differs, as code to paste, and how. */
export async function shortestFailure(
  history: MonthHistory,
  offer: Offer = OFFER,
): Promise<string> {
  const differs = (shorter: MonthHistory) => simulate(shorter, offer).difference !== null;
  const short = await shorten(history, differs, { tries: TRIES });
  const { difference } = simulate(short, offer);
  return `${difference?.account}: ${difference?.what}, after\n${historyAsCode(short)}`;
}

type Part = readonly [MonthStep, ...MonthStep[]];

/** Steps in their order; usage that comes together is a batch. */
function* partsOf(steps: readonly MonthStep[]): Generator<Part> {
  let batch: [UseStep, ...UseStep[]] | null = null;
  for (const step of steps) {
    if (batch !== null && step.kind === "use" && step.at === batch[0].at) {
      batch.push(step);
      continue;
    }
    if (batch !== null) yield batch;
    batch = step.kind === "use" ? [step] : null;
    if (step.kind !== "use") yield [step];
  }
  if (batch !== null) yield batch;
}

function playPart(
  books: CoreBooks,
  model: MonthModel,
  part: Part,
  { catalogue }: Offer,
  occurred: Map<string, number>,
): Difference | null {
  const [step] = part;
  const expected = part.map((each) => playStep(model, each));
  for (const [index, outcome] of expected.entries()) {
    const name = `${part[index]?.kind}: ${outcome}`;
    occurred.set(name, (occurred.get(name) ?? 0) + 1);
  }
  switch (step.kind) {
    case "caught up":
      books.caughtUp(step.at);
      return null;
    case "settle":
      books.settleAll(step.at);
      return null;
    case "use":
      return playUsage(books, part.filter(isUse), expected);
    default: {
      const outcome = playCommand(books, catalogue, step);
      if (outcome === expected[0]) return null;
      const what = `${step.kind}: ${outcome}, not ${expected[0]}`;
      return { at: step.at, account: step.account, what };
    }
  }
}

function playUsage(
  books: CoreBooks,
  uses: readonly UseStep[],
  expected: readonly string[],
): Difference | null {
  const at = uses[0]?.at ?? 0;
  const { metered, repeats, deadLetters } = books.meter(uses.map(usageOf), at);
  const count = (what: string) => expected.filter((outcome) => outcome === what).length;
  const [wanted, again] = [count("metered"), count("repeat")];
  const found = `${metered} metered, ${repeats} repeats, ${deadLetters} dead letters`;
  const due = `${wanted} metered, ${again} repeats, ${expected.length - wanted - again} dead letters`;
  return found === due ? null : { at, account: null, what: `${found}, not ${due}` };
}

function isUse(step: MonthStep): step is UseStep {
  return step.kind === "use";
}

function compareBalances(books: CoreBooks, model: MonthModel, at: number): Difference | null {
  for (const [account, { account: row }] of books.rows) {
    const { balance } = model.account(account);
    const found = row.granted - row.position;
    if (found !== balance) return { at, account, what: `balance is ${found}, not ${balance}` };
  }
  return null;
}

function compareAll(books: CoreBooks, model: MonthModel, at: number): Difference | null {
  for (const [id, rows] of books.rows) {
    const told = new Map([[id, wholeByCore(rows)]]);
    const difference = compare(told, new Map([[id, wholeOfModel(model.account(id))]]), at);
    if (difference !== null) return difference;
  }
  return null;
}
