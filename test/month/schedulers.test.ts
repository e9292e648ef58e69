/**
 * The books do not depend on the scheduler. The same history is played with none, with one that runs
 * once a day, with one that runs at every instant at which anything happens (in between, a scheduler
 * that runs every minute finds the same books), and with two that race each other and everything else at
 * the instant.
 *
 * Lots, entries, fees and balances are the same. Across an outage of metering the entries are the same
 * set, but may be in another order (shared/core/month/README.md). The number of low balances depends on
 * how often an account is settled, since each settlement is one movement.
 */
import { describe, expect, test } from "vitest";
import { withScheduler } from "../model/month-histories.ts";
import type { MonthHistory } from "../model/month-history.ts";
import { historyAsCode, shorten } from "../model/shorten-history.ts";
import { historyOf, randomSeed, settledDaily } from "./histories.ts";
import { wholeByBooks } from "./month-told.ts";
import { openHistoryBooks } from "./open-history.ts";
import { runScheduler } from "./play-command.ts";
import { type HowPlayed, openPlayer } from "./play-history.ts";

const MINUTE = 60_000;
const SEEDS = [randomSeed(), randomSeed(), randomSeed()];
const SHAPE = { accounts: 20, months: 4, eventsAMonth: 4, changesAMonth: 0.7 };

describe("the books are the same with no scheduler, a daily one, one that always runs, and two concurrent ones", () => {
  test.each(SEEDS)(
    "lots, entries and balances, seed %i",
    async (seed) => {
      await expectTheSame(historyOf(seed, { ...SHAPE, outages: 0 }), (entries) => entries);
    },
    3 * MINUTE,
  );

  test.each(SEEDS)(
    "except for the order of entries across outages of metering, seed %i",
    async (seed) => {
      await expectTheSame(historyOf(seed, { ...SHAPE, outages: 4 }), (entries) =>
        entries.toSorted(),
      );
    },
    3 * MINUTE,
  );
});

type Ordered = (entries: readonly string[]) => readonly string[];

async function expectTheSame(history: MonthHistory, ordered: Ordered): Promise<void> {
  const different = await whatDiffers(history, ordered);
  if (different === null) return;
  const fails = async (shorter: MonthHistory) => (await whatDiffers(shorter, ordered)) !== null;
  const short = await shorten(history, fails, { tries: 100 });
  expect.fail(
    `${different}\n\nShortened: ${await whatDiffers(short, ordered)}, after\n${historyAsCode(short)}`,
  );
}

const SMALL = { limit: 7 };

/** What differs under which scheduler, or null. */
async function whatDiffers(history: MonthHistory, ordered: Ordered): Promise<string | null> {
  const always = withScheduler(history);
  const ways: [string, MonthHistory, HowPlayed][] = [
    ["a daily scheduler", settledDaily(history), SMALL],
    ["a scheduler that always runs", always, SMALL],
    ["two concurrent schedulers", always, { ...SMALL, racing: true }],
  ];
  const expected = await playToTheEnd(history, ordered);
  for (const [name, played, how] of ways) {
    const found = await playToTheEnd(played, ordered, how);
    for (const [index, line] of expected.entries()) {
      if (found[index] !== line) return `${name}: ${found[index]}, with none ${line}`;
    }
  }
  return null;
}

/** Each account's books as lines, settled at the history's end. */
async function playToTheEnd(
  history: MonthHistory,
  ordered: Ordered,
  how: HowPlayed = {},
): Promise<string[]> {
  const books = await openHistoryBooks(history);
  try {
    const player = openPlayer(books.database, history, how);
    for (const together of Map.groupBy(history.steps, ({ at }) => at).values()) {
      await player.play(together);
    }
    await runScheduler(books.database, history.steps.at(-1)?.at ?? 0);
    return [...(await wholeByBooks(books.database))]
      .map(([id, { balance, lots, entries, fees, used, subscription, ...rest }]) => {
        const { addOns, dueCharges } = rest;
        const lines = { lots, entries: ordered(entries), fees, subscription, addOns, dueCharges };
        return asText({ id, balance, used, ...lines });
      })
      .sort();
  } finally {
    await books.close();
  }
}

function asText(value: unknown): string {
  const bare = (_: string, part: unknown) => (typeof part === "bigint" ? String(part) : part);
  return JSON.stringify(value, bare);
}
