/**
 * An allowance in the caller's process: from the newest balances, as old as it says, through outages for as long as
 * was agreed, and in doubt it allows nothing.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import {
  type LocalAllowance,
  type LocalAllowanceOptions,
  openLocalAllowance,
} from "../../shared/client/local-allowance.ts";
import { decideSettings } from "../../shared/core/changes/change-settings.ts";
import { UNLIMITED } from "../../shared/core/line/overdraft.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { retryOutages } from "../../shared/kafka/client/retry-outages.ts";
import { openRegistry } from "../../shared/kafka/codec/open-registry.ts";
import { publishBooks } from "../../shared/kafka/publish/publish-books.ts";
import { openPublisher } from "../../shared/kafka/publish/publisher.ts";
import { deleteBudget } from "../../shared/ledger/budgets/set-budget.ts";
import { changeSubscription } from "../../shared/ledger/credits/change-subscription.ts";
import { grantCredits } from "../../shared/ledger/credits/grant-credits.ts";
import { MOST_PUBLISHED } from "../../shared/ledger/outbox/published-budgets.ts";
import { openHealth } from "../../shared/runtime/health/health.ts";
import { readSettings } from "../../shared/runtime/settings.ts";
import { openSleeper } from "../../shared/runtime/sleeper.ts";
import { type Books, openAccount, openBooks, setPrice } from "../support/books/books.ts";
import { setBudgetOf } from "../support/books/budgets.ts";
import { askedHold, changeHold } from "../support/books/holds.ts";
import { usageBatches } from "../support/books/usage-batches.ts";
import { zoneAtNoon } from "../support/books/zone-at-noon.ts";
import { eventually } from "../support/eventually.ts";
import { silent, testKafka } from "../support/kafka/kafka.ts";
import { layKafkaLine } from "./kafka-line.ts";

const { kafka: kafkaSettings, registry } = readSettings(process.env);
const [broker = ""] = kafkaSettings.brokers;
const kafka = testKafka();
const prefix = `allowance-${randomBytes(4).toString("hex")}`;

let books: Books;
let publishing: Publishing;

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "call", 7n);
  publishing = publish();
});

afterAll(async () => {
  await publishing?.stop();
  await books?.close();
});

test("it covers what is available, and not a micro-credit more", async () => {
  const account = await openWith("covers", 1_000n);
  const allowance = await openKnown(account);
  expect(allowance.allows(account, 1_000n)).toMatchObject({ allowed: true, reason: "enough" });
  expect(allowance.allows(account, 1_001n)).toMatchObject({
    ...{ allowed: false, reason: "not_enough", available: 1_000n },
  });
  expect(allowance.allows(account, 0n).allowed).toBe(true);
  const answers = Array.from({ length: 1_000 }, () => allowance.allows(account, 1n));
  expect(
    answers.every(({ allowed }) => allowed),
    "nothing is reserved",
  ).toBe(true);
});

test("it follows grants and holds", async () => {
  const account = await openWith("follows", 10n);
  const allowance = await openKnown(account);
  await grant(account, 90n);
  await untilAvailable(allowance, account, 100n);
  await changeHold(books, askedHold(account, "run", 60n));
  await untilAvailable(allowance, account, 40n);
  expect(allowance.allows(account, 50n).allowed).toBe(false);
});

test("with nothing left it allows nothing, not even what is free", async () => {
  const account = await openWith("empty", 1n);
  const allowance = await openKnown(account);
  await changeHold(books, askedHold(account, "all", 1n));
  await untilAvailable(allowance, account, 0n);
  expect(allowance.allows(account, 0n)).toMatchObject({ allowed: false, reason: "not_enough" });
});

test("it goes below zero as far as the account's overdraft, or else the default one", async () => {
  const account = await openWith("overdraft", 10n);
  const allowance = await openKnown(account, { defaultOverdraft: 5n });
  const reason = (credits: bigint) => allowance.allows(account, credits).reason;
  const mostIs = (most: bigint) =>
    eventually(
      `${most} may be spent`,
      () => reason(most) === "within_overdraft" && reason(most + 1n) === "not_enough",
    );
  await mostIs(15n);
  expect(allowance.allows(account, 15n)).toMatchObject({ allowed: true, available: 10n });
  expect(reason(10n)).toBe("enough");
  await setOverdraft(account, 20n);
  await mostIs(30n);
  await setOverdraft(account, 0n);
  await eventually("it stops at zero", () => reason(11n) === "not_enough");
  await setOverdraft(account, UNLIMITED);
  await eventually("it has no limit", () => reason(UNLIMITED) === "within_overdraft");
  await setOverdraft(account, null);
  await mostIs(15n);
});

test("without a default overdraft it stops at zero", async () => {
  const account = await openWith("stops", 10n);
  const allowance = await openKnown(account);
  expect(allowance.allows(account, 11n)).toMatchObject({ allowed: false, reason: "not_enough" });
});

test.each<Record<string, unknown>>([
  ...[Number.NaN, 0, -1, Number.POSITIVE_INFINITY, "60000"].map((maxAgeMs) => ({ maxAgeMs })),
  ...[-1n, 5, "5", "none"].map((defaultOverdraft) => ({ defaultOverdraft })),
])("is not opened with %o, which would be no limit", (given) => {
  const [name = ""] = Object.keys(given);
  expect(() => openOne(given)).toThrow(new RegExp(`^${name} is a .*, not .+`));
});

test("a cost or a dimension that is none is refused, and not taken for one without a limit", async () => {
  const account = await openWith("none", 10n);
  const allowance = await openKnown(account);
  const asked = allowance.allows as (...asked: unknown[]) => unknown;
  for (const credits of [undefined, null, 5, "5", Number.NaN, -1n]) {
    expect(() => asked(account, credits)).toThrow(/^credits are a bigint of micro-credits from 0/);
  }
  for (const team of [5, null, undefined]) {
    expect(() => asked(account, 1n, { team })).toThrow("dimension team is not text");
  }
});

test("asked with dimensions, the tightest budget answers as well", async () => {
  const account = await openWith("budgets", 1_000n);
  await setBudgetOf(books, account, "team");
  await setBudgetOf(books, account, "team", { value: "a", credits: 30n });
  await setBudgetOf(books, account, "user", { window: "all", credits: 50n });
  const allowance = await openKnown(account);
  const leaves = (dimensions: Record<string, string>, left: bigint) =>
    eventually(`${JSON.stringify(dimensions)} leaves ${left}`, () => {
      const [most, more] = [left, left + 1n].map((of) => allowance.allows(account, of, dimensions));
      return most?.reason === "enough" && more?.reason === "budget_used_up";
    });
  await leaves({ team: "a" }, 30n);
  expect(allowance.allows(account, 31n, { team: "a" })).toMatchObject({
    ...{ allowed: false, available: 1_000n },
    budget: { dimension: "team", window: "day", value: "a", left: 30n },
  });
  await leaves({ team: "b" }, 100n);
  await leaves({ team: "b", user: "u" }, 50n);
  for (const dimensions of [undefined, {}, { model: "m" }]) {
    const reasons = [1_000n, 1_001n].map((of) => allowance.allows(account, of, dimensions).reason);
    expect(reasons).toEqual(["enough", "not_enough"]);
  }

  await changeHold(books, askedHold(account, "run", 40n, { dimensions: { team: "b" } }));
  await leaves({ team: "b" }, 60n);
  const call = { eventId: "call", accountId: account, quantity: 1n };
  await usageBatches(books, account).debit([{ ...call, dimensions: { team: "b", user: "u" } }]);
  await leaves({ team: "b" }, 53n);
  await leaves({ team: "b", user: "u" }, 43n);
  await setBudgetOf(books, account, "team", { value: "b", credits: 50n });
  await leaves({ team: "b", user: "u" }, 3n);
  const by = { accountId: toAccountId(account), now: Date.now(), by: "test" };
  await deleteBudget(books.database, by, { dimension: "team", window: "day", value: "a" });
  await leaves({ team: "a" }, 100n);
});

test("of values that are too many to be published it is in doubt, and allows nothing", async () => {
  const account = await openWith("many", 10n);
  for (let at = 0; at <= MOST_PUBLISHED; at += 1) {
    await setBudgetOf(books, account, "key", { value: `k${at}` });
  }
  const allowance = await openKnown(account);
  const inDoubt = () => allowance.allows(account, 1n, { key: "k1" });
  await eventually("it is in doubt", () => inDoubt().reason === "unknown_budget");
  expect(inDoubt()).toMatchObject({ allowed: false, available: 10n, budget: null });
  expect(allowance.allows(account, 11n, { key: "k1" }).reason).toBe("not_enough");
  expect(allowance.allows(account, 1n, { team: "a" }).reason).toBe("enough");
});

test("an account of which nothing was published is unknown, as is one that was not chosen", async () => {
  const [chosen, other] = [await openWith("chosen", 10n), await openWith("other", 10n)];
  const allowance = await openKnown(chosen, { accounts: [chosen] });
  await grant(other, 1n);
  await untilAvailable(await openKnown(other), other, 11n);
  for (const account of [other, `${prefix}-nobody`]) {
    const answer = allowance.allows(account, 1n);
    expect(answer).toMatchObject({ allowed: false, reason: "unknown_account", available: null });
  }
});

test("what cannot be read makes its account unknown, until the next balance", async () => {
  const account = await openWith("unreadable", 10n);
  const allowance = await openKnown(account);
  const producer = kafka.producer();
  await producer.connect();
  const headers = { sequence: "9" };
  const messages = [{ key: account, value: Buffer.from("not a balance"), headers }];
  await producer.send({ topic: TOPICS.balances, messages });
  await producer.disconnect();
  const reason = () => allowance.allows(account, 1n).reason;
  await eventually("nothing is known of it", () => reason() === "unknown_account");
  await grant(account, 1n);
  await untilAvailable(allowance, account, 11n);
});

test("while Kafka is away it answers for as long as was agreed, then allows nothing, and comes back", async () => {
  const account = await openWith("outage", 10n);
  const line = await layKafkaLine(broker);
  onTestFinished(() => line.remove());
  const allowance = await openKnown(account, { maxAgeMs: 4_000 });
  line.cut();
  const before = allowance.allows(account, 1n);
  expect(before.allowed).toBe(true);
  await eventually("it has heard nothing for a while", () => ageOf(allowance, account) > 2_000);
  expect(allowance.allows(account, 1n).allowed).toBe(true);
  await eventually("what it knows is too old", () => !allowance.allows(account, 1n).allowed);
  expect(allowance.allows(account, 1n)).toMatchObject({ reason: "too_old", available: 10n });
  await grant(account, 5n);
  line.mend();
  await untilAvailable(allowance, account, 15n);
  await eventually("it is up to date", () => allowance.allows(account, 15n).allowed, 60_000);
}, 120_000);

test("while nobody publishes balances it does not take silence for news", async () => {
  const account = await openWith("silence", 10n);
  const allowance = await openKnown(account, { maxAgeMs: 3_000 });
  await publishing.stop();
  await grant(account, 5n);
  await eventually("what it knows is too old", () => !allowance.allows(account, 1n).allowed);
  expect(allowance.allows(account, 1n)).toMatchObject({ reason: "too_old", available: 10n });
  publishing = publish();
  await eventually("it is up to date", () => allowance.allows(account, 15n).allowed);
});

test("a time to come is no news", async () => {
  const account = await openWith("future", 10n);
  const allowance = await openKnown(account, { maxAgeMs: 3_000 });
  await publishing.stop();
  const publisher = openPublisher(kafka, openRegistry(registry));
  const until = Date.now() + 3_600_000;
  await publisher.publish([
    { topic: TOPICS.balancesComplete, key: null, sequence: null, record: { until } },
  ]);
  await publisher.close();
  await eventually("what it knows is too old", () => !allowance.allows(account, 1n).allowed);
  publishing = publish();
  await eventually("it is up to date", () => allowance.allows(account, 1n).allowed);
});

test("without Kafka, it says what it waits for, and allows nothing", async () => {
  const allowance = openOne({ kafka: { brokers: ["127.0.0.1:9"] } });
  await expect(allowance.ready(2_000)).rejects.toThrow(/no balances are known .*: waiting for /);
  expect(allowance.allows(prefix, 0n)).toEqual({
    ...{ allowed: false, reason: "too_old", available: null, budget: null },
    ageMs: Number.POSITIVE_INFINITY,
  });
});

test("closed, it leaves no group behind", async () => {
  const allowance = openOne({});
  await allowance.ready();
  await allowance.close();
  const admin = kafka.admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  await eventually("its groups are gone", async () => {
    const { groups } = await admin.listGroups();
    const ours = groups
      .map(({ groupId }) => groupId)
      .filter((id) => /^drawdown-allowance/.test(id));
    const { groups: described } = await admin.describeGroups(ours);
    return described.every(({ members }) => members.length === 0);
  });
});

interface Publishing {
  stop(): Promise<void>;
}

/** What each service does beside its work. */
function publish(): Publishing {
  const stopping = new AbortController();
  const { signal } = stopping;
  const publishes = publishBooks({
    ...{ database: books.database, kafka, registry: openRegistry(registry) },
    waits: retryOutages({ logger: silent, stopping: signal }),
    ...{ health: openHealth(60_000, signal), lookEveryMs: 100, sleeper: openSleeper(signal) },
  });
  return {
    async stop() {
      stopping.abort();
      await publishes;
    },
  };
}

async function openWith(name: string, credits: bigint): Promise<string> {
  const account = `${prefix}-${name}`;
  await openAccount(books, account, { timeZone: zoneAtNoon() });
  await grant(account, credits);
  return account;
}

async function grant(account: string, credits: bigint): Promise<void> {
  const lot = { lotId: randomUUID(), credits, source: "promotion", reference: "" } as const;
  const granted = { ...lot, end: { kind: "never" } } as const;
  await grantCredits(books.database, toAccountId(account), granted, Date.now());
}

async function setOverdraft(account: string, overdraft: bigint | null): Promise<void> {
  const by = { accountId: toAccountId(account), now: Date.now(), by: "test" };
  await changeSubscription(books.database, by, (at) => decideSettings({ overdraft }, at));
}

function openOne(given: Partial<LocalAllowanceOptions>): LocalAllowance {
  const allowance = openLocalAllowance({ kafka: kafkaSettings, registry, ...given });
  onTestFinished(() => allowance.close());
  return allowance;
}

/** One that knows an account. */
async function openKnown(
  account: string,
  given: Partial<LocalAllowanceOptions> = {},
): Promise<LocalAllowance> {
  const allowance = openOne(given);
  await allowance.ready();
  await eventually("it knows the account", () => allowance.allows(account, 0n).available !== null);
  return allowance;
}

function untilAvailable(allowance: LocalAllowance, account: string, credits: bigint) {
  return eventually(
    `${credits} are available`,
    () => allowance.allows(account, 0n).available === credits,
    60_000,
  );
}

function ageOf(allowance: LocalAllowance, account: string): number {
  return allowance.allows(account, 0n).ageMs;
}
