import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prove } from "../reconcile/prove.ts";
import { type Books, openAccount, openBooks } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import type { Usage } from "../support/books/usage-batches.ts";
import { drawdown, words } from "../support/cli/drawdown.ts";
import { testKafka } from "../support/kafka/kafka.ts";
import { openUsagePublisher, type UsagePublisher } from "../support/kafka/publish-usage.ts";
import { takeUsageTopic, untilCaughtUp } from "../support/kafka/usage-topic.ts";
import { type MeteringProcess, startMetering } from "../support/processes/metering-process.ts";
import { superuserUrl } from "../support/stack/template.ts";

/**
 * Usage of this month and late usage of the last one under tiers, packages of events and packages of months, through
 * the real topic and metering. Explaining, reconciling, replaying and what-if find the same prices.
 */
const now = Date.now();
const day = new Date(now);
const thisMonth = Date.UTC(day.getUTCFullYear(), day.getUTCMonth());
const lastMonth = thisMonth - 60_000;
const kafka = testKafka();

const CATALOGUE = `meters:
  pages:
    from: 2026-01-01T00:00:00Z
    tiers:
      - { up_to: 10, credits: 2, per: 1 }
      - { credits: 1, per: 4 }
  texts: { from: 2026-01-01T00:00:00Z, credits: 5, per: 100, round_up: each_month }
  seconds: { from: 2026-01-01T00:00:00Z, credits: 3, per: 60, round_up: each_event }
`;

let giveTopicBack: () => Promise<void>;
let books: Books;
let publisher: UsagePublisher;
let metering: MeteringProcess;
let folder: string;

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  books = await openBooks();
  folder = await mkdtemp(join(tmpdir(), "tiers-"));
  expect(await command(`catalogue apply ${await file(CATALOGUE)}`)).toMatchObject({ code: 0 });
  const lots = [{ credits: 1_000_000_000n }];
  await openAccount(books, "reader", { at: lastMonth - 86_400_000, lots });
  publisher = await openUsagePublisher(kafka);
  metering = startMetering({ ...process.env, DATABASE_URL: books.url });
  await publisher.publish([
    used("pages", 8n),
    { ...used("pages", 9n), occurredAt: lastMonth },
    used("pages", 6n),
    used("texts", 1n),
    used("texts", 99n),
    used("texts", 101n),
    used("seconds", 61n),
    { ...used("pages", 2n), occurredAt: lastMonth },
  ]);
  await untilCaughtUp(kafka, books.database);
}, 300_000);

afterAll(async () => {
  await metering?.stop();
  await publisher?.close();
  await books?.close();
  await giveTopicBack?.();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

test("each event pays what it adds to its month", async () => {
  const { rows } = await books.database.query("SELECT event_id, credits FROM usage_record");
  expect(Object.fromEntries(rows.map((row) => [row.event_id, row.credits]))).toEqual({
    ...{ "pages-8": 16_000_000n, "pages-6": 5_000_000n },
    ...{ "pages-9": 18_000_000n, "pages-2": 2_250_000n },
    ...{ "texts-1": 5_000_000n, "texts-99": 0n, "texts-101": 10_000_000n },
    "seconds-61": 6_000_000n,
  });
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("explaining an event shows its price, and which units of the month it was", async () => {
  const { stdout } = await command("explain event pages-6 --account reader");
  expect(stdout).toMatch(
    /^rate +in a month 2 credits a unit up to 10, 1 credits for 4 units above, from /m,
  );
  const month = new Date(thisMonth).toISOString().slice(0, 7);
  expect(stdout).toMatch(new RegExp(`^counted +units 8 to 14 of pages in ${month} `, "m"));
  const late = await command("explain event pages-2 --account reader --json");
  expect(JSON.parse(late.stdout).rate).toMatchObject({
    counted: { from: "9", to: "11" },
    tiers: [
      { up_to: "10", credits: "2000000", per: "1" },
      { up_to: null, credits: "1000000", per: "4" },
    ],
  });
  const call = await command("explain event seconds-61 --account reader");
  expect(call.stdout).toMatch(/^rate +3 credits for 60 units, each event rounded up to 60, from /m);
});

test("the catalogue and the rates show tiers, and change nothing again", async () => {
  const { stdout } = await command("rate list pages");
  expect(stdout).toMatch(/^pages +up to 10 in a month +2 +1 /m);
  expect(stdout).toMatch(/^pages +all above in a month +1 +4 /m);
  const again = await command(`catalogue apply ${await file(CATALOGUE)} --json`);
  expect(JSON.parse(again.stdout)).toMatchObject({ outcome: "unchanged" });
});

test("reconciling finds every price right, and replaying gives the same books", async () => {
  expect((await prove(books)).differences).toEqual([]);
  const target = await openBooks();
  try {
    const replayed = await command(`replay --into ${superuserUrl(target.url)}`);
    expect(replayed.code, replayed.stderr).toBe(0);
  } finally {
    await target.close();
  }
});

test("what-if counts the range's usage under the other catalogue", async () => {
  const range = `--from ${iso(thisMonth - 86_400_000)} --to ${iso(now + 3_600_000)}`;
  const same = await command(`what-if --catalogue ${await file(CATALOGUE)} ${range} --json`);
  expect(JSON.parse(same.stdout).totals).toMatchObject({ difference: "0" });
  const dearer = CATALOGUE.replace("credits: 1, per: 4", "credits: 2, per: 4");
  const other = await command(`what-if --catalogue ${await file(dearer)} ${range} --json`);
  // 4 pages of this month lie above 10, and 1 of the last.
  expect(JSON.parse(other.stdout).totals).toMatchObject({ difference: "1250000" });
});

function used(meter: string, quantity: bigint): Usage {
  const eventId = [meter, quantity].join("-");
  return { accountId: "reader", meter, eventId, quantity, occurredAt: now };
}

function command(line: string) {
  return drawdown(words(line), { env: { DATABASE_URL: books.url } });
}

async function file(text: string): Promise<string> {
  const path = join(folder, "catalogue.yaml");
  await writeFile(path, text);
  return path;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
