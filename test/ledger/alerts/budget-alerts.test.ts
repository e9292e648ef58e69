/**
 * Alerts of budgets: each level once in a window and for each amount of the budget, by the event that reaches it,
 * however late and often events come and however they are batched; also where a setting reaches it.
 */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type AlertSettings, DEFAULT_ALERTS } from "../../../shared/core/alerts/alert-settings.ts";
import type { BudgetWindow } from "../../../shared/core/budgets/window.ts";
import { decideSettings } from "../../../shared/core/changes/change-settings.ts";
import { toAccountId } from "../../../shared/core/text/text.ts";
import { setAlerts } from "../../../shared/ledger/alerts/alert-settings.ts";
import { listAlerts } from "../../../shared/ledger/alerts/list-alerts.ts";
import { deleteBudget } from "../../../shared/ledger/budgets/set-budget.ts";
import { ratesReader } from "../../../shared/ledger/catalogue/rates.ts";
import { adjustCredits } from "../../../shared/ledger/credits/adjust-credits.ts";
import { changeSubscription } from "../../../shared/ledger/credits/change-subscription.ts";
import { inTransaction } from "../../../shared/ledger/postgres/database.ts";
import { debitUsage } from "../../../shared/ledger/usage/debit-usage.ts";
import { type Books, openAccount, openBooks, setPrice } from "../../support/books/books.ts";
import { setBudgetOf } from "../../support/books/budgets.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { type Usage, usageBatches } from "../../support/books/usage-batches.ts";
import { NaiveBudgetAlerts, type Step } from "./naive-budget-alerts.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOON = Date.parse("2026-03-25T12:00:00Z");

let books: Books;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 1n);
  await setPrice(books, "page", 1n);
});

afterEach(async () => {
  expect(await brokenInvariants(books.database)).toEqual([]);
});

afterAll(() => books?.close());

async function watch(id: string, settings: Partial<AlertSettings> = {}): Promise<void> {
  const asked = { ...DEFAULT_ALERTS, runwayDays: null, ...settings };
  await setAlerts(books.database, byTest(id), asked);
}

const byTest = (id: string) => ({ accountId: toAccountId(id), now: NOON, by: "test" });

/** An account that asks for the usual levels, with 100 a day for team a. */
async function openLimited(id: string, lots: readonly { credits: bigint }[] = []): Promise<void> {
  await openAccount(books, id, { at: NOON - DAY, lots });
  await watch(id);
  await budget(id, 100n);
}

const budget = (id: string, credits: bigint, value = "a", window: BudgetWindow = "day") =>
  setBudgetOf(books, id, "team", { value, credits, window, at: NOON });

/** Meters batches of an account's events, each of so many calls of team a by the clock of `NOON`. */
function user(id: string) {
  const batches = usageBatches(books, `alerts-${id}`);
  const readRates = ratesReader();
  let last = 0;
  return async (...events: readonly (number | Partial<Usage>)[]) => {
    const usages = events.map((event): Usage => {
      const usual = { eventId: `e${++last}`, quantity: 1n, occurredAt: NOON, accountId: id };
      const stated = typeof event === "number" ? { quantity: BigInt(event) } : event;
      return { ...usual, dimensions: { team: "a" }, ...stated };
    });
    const batch = { ...batches.next(usages), now: NOON };
    await debitUsage(books.database, readRates, batch);
    return batch;
  };
}

/** Oldest first. */
async function raised(id: string) {
  const alerts = await inTransaction(books.database, (transaction) =>
    listAlerts(transaction, toAccountId(id), { before: null, limit: 500 }),
  );
  expect(alerts.map(({ sequence }) => Number(sequence)).reverse()).toEqual(
    alerts.map((_, at) => at + 1),
  );
  return alerts.reverse();
}

const told = async (id: string) =>
  (await raised(id)).map(({ subject, window, level, used, limit, cause }) => {
    const when = window.replace(/^day:/, "");
    return `${subject.replace("=", " ")} ${when} ${level} % of ${limit}, ${used} by ${cause.replace("event:", "")}`;
  });

const TODAY = "a 2026-03-25";

test.each([
  { id: "one-by-one", size: 1 },
  { id: "in-pairs", size: 2 },
  { id: "at-once", size: 6 },
  // A balance that falls to its threshold is metered event by event.
  { id: "below-zero", size: 6, lots: [{ credits: 60n }] },
])("each level is raised once, by the event that reaches it: $id", async ({ id, size, lots }) => {
  await openLimited(id, lots);
  const use = user(id);
  const steps = [49, { quantity: 0n, quantities: { page: 1n } }, 29, 1, 40, 5];
  for (let at = 0; at < steps.length; at += size) await use(...steps.slice(at, at + size));
  expect(await told(id)).toEqual([
    `team ${TODAY} 50 % of 100, 50 by e2`,
    `team ${TODAY} 80 % of 100, 80 by e4`,
    `team ${TODAY} 100 % of 100, 120 by e5`,
  ]);
  expect((await raised(id))[0]).toMatchObject({
    ...{ kind: "budget", subject: "team=a", window: "day:2026-03-25", currency: null },
    ...{ occurredAt: NOON, reason: expect.stringContaining("team a for the day of 2026-03-25") },
  });
  const { rows } = await books.database.query(
    "SELECT sequence FROM outbox WHERE account_id = $1 AND topic = 'billing.alerts'",
    [id],
  );
  expect(rows).toHaveLength(3);
});

const event = fc.record({
  kind: fc.constant("event" as const),
  at: fc.constantFrom(NOON - DAY, NOON, NOON, NOON),
  calls: fc.bigInt({ min: 0n, max: 40n }),
  pages: fc.option(fc.bigInt({ min: 1n, max: 30n }), { nil: 0n }),
  team: fc.constantFrom("a", "b", ""),
  user: fc.constantFrom("u", "v%=", ""),
  /** It comes again with the batch, and with those after it. */
  again: fc.boolean(),
  endsBatch: fc.boolean(),
});

const limit = fc.record({
  kind: fc.constant("budget" as const),
  dimension: fc.constantFrom("team", "user"),
  value: fc.constantFrom("a", "u", ""),
  credits: fc.option(fc.constantFrom(0n, 1n, 30n, 50n, 100n, 101n, 200n), { nil: null }),
});

const history = fc.record({
  steps: fc.array(fc.oneof({ weight: 4, arbitrary: event }, { weight: 1, arbitrary: limit }), {
    minLength: 1,
    maxLength: 30,
  }),
  percents: fc.constantFrom([50, 80, 100], [1, 33, 34, 99], [100]),
  lots: fc.constantFrom([], [{ credits: 150n }]),
});

const windowOf = (dimension: string) => (dimension === "team" ? "day" : "all");

async function setLimit(id: string, { dimension, value, credits }: SetLimit, at = NOON) {
  const window = windowOf(dimension);
  if (credits !== null) {
    await setBudgetOf(books, id, dimension, { window, value, credits, at });
  } else await deleteBudget(books.database, byTest(id), { dimension, window, value });
}

type SetLimit = Omit<Extract<Step, { kind: "budget" }>, "kind">;

test("what is told is what a model tells, whatever comes and however it is batched", async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(history, async ({ steps, percents, lots }) => {
      const id = `model-${++run}`;
      await openAccount(books, id, { at: NOON - 3 * DAY, lots });
      await watch(id, { budgetPercents: percents });
      const model = new NaiveBudgetAlerts(percents, "2026-03-25");
      // They stay, so that counting goes on, from before all events.
      for (const dimension of ["team", "user"]) {
        await setLimit(id, { dimension, value: "always", credits: 10n }, NOON - 2 * DAY);
      }
      const use = user(id);
      let batch: Partial<Usage>[] = [];
      let repeats: Partial<Usage>[] = [];
      const flush = async () => {
        if (batch.length > 0) await use(...batch, ...repeats);
        batch = [];
      };
      for (const [at, step] of steps.entries()) {
        if (step.kind === "budget") {
          await flush();
          await setLimit(id, step);
          model.take(step);
          continue;
        }
        const usage = usageOf(`e${at}`, step);
        const credits = step.calls + step.pages;
        model.take({ ...step, id: usage.eventId, credits, dimensions: usage.dimensions });
        batch.push(usage);
        if (step.again) repeats = [...repeats.slice(-3), usage];
        if (step.endsBatch) await flush();
      }
      await flush();
      expect((await told(id)).toSorted()).toEqual(model.told.toSorted());
    }),
    { numRuns: 40 },
  );
});

function usageOf(
  eventId: string,
  {
    at: occurredAt,
    calls: quantity,
    pages,
    team,
    user: who,
  }: {
    readonly at: number;
    readonly calls: bigint;
    readonly pages: bigint;
    readonly team: string;
    readonly user: string;
  },
) {
  const quantities = pages === 0n ? {} : { page: pages };
  return { eventId, quantity, occurredAt, dimensions: { team, user: who }, quantities };
}

describe("a level", () => {
  test("is not raised again by a batch that is delivered again, nor by a repeat", async () => {
    await openLimited("again");
    const use = user("again");
    const batch = await use(60);
    await debitUsage(books.database, ratesReader(), batch);
    await use({ eventId: "e1", quantity: 60n });
    expect(await told("again")).toEqual([`team ${TODAY} 50 % of 100, 60 by e1`]);
  });

  test("is raised in the window in which late usage occurred, and anew in the next one", async () => {
    await openAccount(books, "late", { at: NOON - DAY });
    await watch("late");
    await setBudgetOf(books, "late", "team", { at: NOON - DAY });
    await user("late")({ quantity: 50n, occurredAt: NOON - DAY }, 50);
    expect(await told("late")).toEqual([
      "team a 2026-03-24 50 % of 100, 50 by e1",
      `team ${TODAY} 50 % of 100, 50 by e2`,
    ]);
  });

  test("is not reached by usage from before the budget counts", async () => {
    await openLimited("counted");
    await setBudgetOf(books, "counted", "agent", { window: "all", at: NOON });
    // As where there was too much usage to count it at once.
    const counts = JSON.stringify([
      ["team", "day", NOON - DAY / 2],
      ["agent", "all", NOON],
    ]);
    await books.database.query("UPDATE account SET budgets = $2 WHERE account_id = $1", [
      ...["counted", counts],
    ]);
    const dimensions = { agent: "x" };
    await user("counted")(
      { quantity: 60n, occurredAt: NOON - HOUR, dimensions },
      { quantity: 55n, dimensions },
    );
    expect(await told("counted")).toEqual(["agent x all 50 % of 100, 55 by e2"]);
  });

  test("stays raised where credits for mistaken usage are given back: the budget counts the usage", async () => {
    await openLimited("reversed");
    const use = user("reversed");
    await use(60);
    const back = { credits: 60n, reference: "reversal of e1", lotId: "back" };
    await adjustCredits(books.database, byTest("reversed"), back);
    await use(10);
    expect(await told("reversed")).toHaveLength(1);
    await use(10);
    expect(await told("reversed")).toHaveLength(2);
  });

  test("is armed anew where the budget is raised above what is spent, once for each amount", async () => {
    await openLimited("raised");
    const use = user("raised");
    await use(90);
    await budget("raised", 200n);
    await use(9);
    expect(await told("raised")).toHaveLength(2);
    await use(1);
    await budget("raised", 100n);
    await budget("raised", 200n);
    await use(60);
    expect(await told("raised")).toEqual([
      `team ${TODAY} 50 % of 100, 90 by e1`,
      `team ${TODAY} 80 % of 100, 90 by e1`,
      `team ${TODAY} 50 % of 200, 100 by e3`,
      `team ${TODAY} 100 % of 100, 100 by settings`,
      `team ${TODAY} 80 % of 200, 160 by e4`,
    ]);
  });

  test("that a lowered budget reaches is raised at once: its own, or that of every value", async () => {
    await openLimited("lowered");
    await budget("lowered", 1_000n, "");
    await user("lowered")({ quantity: 70n, dimensions: { team: "b" } }, 40);
    await budget("lowered", 80n);
    await budget("lowered", 140n, "");
    await budget("lowered", 50n, "");
    await deleteBudget(books.database, byTest("lowered"), {
      ...{ dimension: "team", window: "day", value: "a" },
    });
    expect(await told("lowered")).toEqual([
      `team ${TODAY} 50 % of 80, 40 by settings`,
      "team b 2026-03-25 50 % of 140, 70 by settings",
      "team b 2026-03-25 80 % of 50, 70 by settings",
      "team b 2026-03-25 100 % of 50, 70 by settings",
      `team ${TODAY} 80 % of 50, 40 by settings`,
    ]);
  });

  test("that is reached already when it is asked for is raised then; none, where none is asked for", async () => {
    await openAccount(books, "asked", { at: NOON - DAY });
    await budget("asked", 100n);
    const use = user("asked");
    await use(60);
    expect(await told("asked")).toEqual([]);
    await watch("asked", { budgetPercents: [] });
    await use(1);
    expect(await told("asked")).toEqual([]);
    await watch("asked", { budgetPercents: [55, 61, 62] });
    await watch("asked", { budgetPercents: [55, 62] });
    await use(1);
    expect(await told("asked")).toEqual([
      `team ${TODAY} 55 % of 100, 61 by settings`,
      `team ${TODAY} 61 % of 100, 61 by settings`,
      `team ${TODAY} 62 % of 100, 62 by e3`,
    ]);
  });

  test("that the calendar of another time zone reaches is raised with the change", async () => {
    await openLimited("moved");
    // In Tokyo it is the 25th then, too.
    await user("moved")({ quantity: 40n, occurredAt: Date.parse("2026-03-24T20:00:00Z") }, 20);
    expect(await told("moved")).toEqual([]);
    await changeSubscription(books.database, byTest("moved"), (context) =>
      decideSettings({ timeZone: "Asia/Tokyo" }, context),
    );
    expect(await told("moved")).toEqual([`team ${TODAY} 50 % of 100, 60 by settings`]);
  });

  test("of a budget that is set while a batch is metered is raised by the one or the other", async () => {
    await openLimited("raced");
    const read = ratesReader();
    let tries = 0;
    const batch = usageBatches(books, "raced-budget").next([
      { eventId: "r1", accountId: "raced", quantity: 40n, dimensions: { team: "a" } },
    ]);
    // The budget becomes smaller once the batch has read the account.
    const readRates: typeof read = async (transaction) => {
      const rates = await read(transaction);
      tries += 1;
      if (tries === 1) await setBudgetOf(books, "raced", "team", { value: "a", credits: 80n });
      return rates;
    };
    await debitUsage(books.database, readRates, batch);
    expect((await raised("raced")).map(({ level, limit }) => [level, limit])).toEqual([[50, 80n]]);
  });

  test("of a window that is not kept any more is not raised", async () => {
    await openAccount(books, "kept", { at: NOON - DAY });
    await setBudgetOf(books, "kept", "team", { at: NOON - DAY });
    const use = user("kept");
    await use({ quantity: 60n, occurredAt: NOON - DAY });
    await watch("kept");
    await books.database.query("UPDATE budget_kept SET since = '2026-03-25Z'");
    await use({ quantity: 50n, occurredAt: NOON - DAY });
    expect(await told("kept")).toEqual([]);
  });
});
