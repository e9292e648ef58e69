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
 * A catalogue with two models and a default, through the real topic and metering: each event costs what the
 * most specific rate says, and explaining, reconciling, replaying and what-if find the same price.
 */
const HOUR = 60 * 60_000;
const now = Date.now();
const kafka = testKafka();

const CATALOGUE = `meters:
  llm.tokens:
    from: 2026-01-01T00:00:00Z
    dimensions: [model, kind]
    rates:
      - { when: { model: large, kind: input }, credits: 3, per: 7 }
      - { when: { model: large, kind: output }, credits: 15, per: 2 }
      - { when: { model: small-*, kind: input }, credits: 1, per: 3 }
      - { when: { kind: input }, credits: 2, per: 1 }
`;

let giveTopicBack: () => Promise<void>;
let books: Books;
let publisher: UsagePublisher;
let metering: MeteringProcess;
let folder: string;

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  books = await openBooks();
  folder = await mkdtemp(join(tmpdir(), "rates-"));
  expect(await command(`catalogue apply ${await file(CATALOGUE)}`)).toMatchObject({ code: 0 });
  await openAccount(books, "acme", { lots: [{ credits: 1_000_000_000n }] });
  publisher = await openUsagePublisher(kafka);
  metering = startMetering({ ...process.env, DATABASE_URL: books.url });
  await publisher.publish([
    used("1", 5n, { model: "large", kind: "input", region: "eu" }),
    used("2", 5n, { model: "large", kind: "output" }),
    used("3", 1n, { model: "small-2", kind: "input" }),
    used("4", 5n, { model: "other", kind: "input" }),
    used("5", 5n, { kind: "input" }),
    used("6", 5n, { model: "small-2", kind: "output" }),
    used("7", 1n, { model: "large", kind: "input" }),
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

test("each event costs what the most specific rate says, and all of them their exact price", async () => {
  const { rows } = await books.database.query(
    "SELECT event_id, credits FROM usage_record ORDER BY kafka_offset",
  );
  // In 42nds of a micro-credit; what is left of one goes on to the next event, of whichever rate.
  expect(rows).toEqual([
    { event_id: "1", credits: 2_142_857n },
    { event_id: "2", credits: 37_500_000n },
    { event_id: "3", credits: 333_333n },
    { event_id: "4", credits: 10_000_000n },
    { event_id: "5", credits: 10_000_000n },
    { event_id: "7", credits: 428_571n },
  ]);
  // 1/7 + 1/3 + 3/7 = 38/42.
  const { rows: carried } = await books.database.query("SELECT remainder FROM carried");
  expect(carried).toEqual([{ remainder: 38n }]);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("what matches nothing is a dead letter that names what was missing, and the nearest", async () => {
  const { stdout } = await command("dead-letters list --json");
  const [letter, ...others] = JSON.parse(stdout).items;
  expect(others).toEqual([]);
  expect(letter).toMatchObject({
    reason: "no_price",
    detail:
      "meter llm.tokens has no rate for model=small-2, kind=output; the nearest are for model=large, kind=output; model=small-*, kind=input; kind=input",
  });
});

test("explaining an event shows the rate that priced it", async () => {
  const { stdout } = await command("explain event 3 --account acme");
  expect(stdout).toMatch(
    /^rate +1 credits for 3 units, for model=small-\*, kind=input, from 2026-01-01/m,
  );
  const { rate } = JSON.parse((await command("explain event 2 --account acme --json")).stdout);
  expect(rate).toEqual({
    valid_from: "2026-01-01T00:00:00.000Z",
    when: { model: "large", kind: "output" },
    credits: "15000000",
    per: "2",
  });
});

test("the rates are listed, one a line", async () => {
  const { stdout } = await command("rate list");
  expect(stdout).toMatch(/^METER +FOR +CREDITS +PER/);
  expect(stdout).toMatch(/^llm\.tokens +model=small-\*, kind=input +1 +3 /m);
  const refused = await command("rate set llm.tokens 1 --per 1");
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toContain("depends on dimensions; state its rates in a catalogue file");
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

test("what-if prices by dimensions, too", async () => {
  const range = `--from ${iso(now - HOUR)} --to ${iso(now + HOUR)}`;
  const same = await command(`what-if --catalogue ${await file(CATALOGUE)} ${range} --json`);
  expect(JSON.parse(same.stdout).totals).toMatchObject({ difference: "0" });
  const dearer = CATALOGUE.replace("credits: 15", "credits: 16");
  const other = await command(`what-if --catalogue ${await file(dearer)} ${range} --json`);
  expect(JSON.parse(other.stdout).totals).toMatchObject({ difference: "2500000" });
});

function used(eventId: string, quantity: bigint, dimensions: Record<string, string>): Usage {
  return { accountId: "acme", meter: "llm.tokens", eventId, quantity, dimensions, occurredAt: now };
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
