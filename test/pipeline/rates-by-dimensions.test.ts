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
 * A catalogue with two models, a default and bands, through the real topic and metering: each event costs what the
 * most specific rate and its highest band say, and explaining, reconciling, replaying and what-if find the same
 * price.
 */
const HOUR = 60 * 60_000;
const ACCOUNT = "dimension-rates";
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
      - { when: { model: large, kind: output }, from: { context: 1000 }, credits: 30, per: 1 }
  video.seconds:
    from: 2026-01-01T00:00:00Z
    rates:
      - { from_quantity: 2, credits: 3, per: 1 }
      - { from_quantity: 9, credits: 5, per: 1 }
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
  await openAccount(books, ACCOUNT, { lots: [{ credits: 1_000_000_000n }] });
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
    used("8", 2n, { model: "large", kind: "output", context: "1000" }),
    used("9", 2n, { model: "large", kind: "output", context: "999" }),
    used("10", 2n, { model: "large", kind: "output", context: "many" }),
    ...[1n, 2n, 8n, 9n].map((quantity) => ({
      ...used(`v${quantity}`, quantity, {}),
      meter: "video.seconds",
    })),
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
    { event_id: "8", credits: 60_000_000n },
    { event_id: "9", credits: 15_000_000n },
    { event_id: "v2", credits: 6_000_000n },
    { event_id: "v8", credits: 24_000_000n },
    { event_id: "v9", credits: 45_000_000n },
  ]);
  // 1/7 + 1/3 + 3/7 = 38/42.
  const { rows: carried } = await books.database.query("SELECT remainder FROM carried");
  expect(carried).toEqual([{ remainder: 38n }]);
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("what matches nothing is a dead letter that names what was missing, and the nearest", async () => {
  const { stdout } = await command("dead-letters list --json");
  const letters: { reason: string; detail: string }[] = JSON.parse(stdout).items;
  expect(letters.map(({ reason, detail }) => `${reason}: ${detail}`).sort()).toEqual([
    "no_price: meter llm.tokens has no rate for model=small-2, kind=output; the nearest are for model=large, kind=output; model=small-*, kind=input; kind=input",
    'no_price: meter llm.tokens is priced for model=large, kind=output by context, which must be a whole number from 0 to 9223372036854775807 in digits, not "many"',
    "no_price: meter video.seconds has no rate for anything with quantity below 2; this is 1",
  ]);
});

test("explaining an event shows the rate that priced it", async () => {
  const { stdout } = await command(`explain event 3 --account ${ACCOUNT}`);
  expect(stdout).toMatch(
    /^rate +1 credits for 3 units, for model=small-\*, kind=input, from 2026-01-01/m,
  );
  const { rate } = JSON.parse(
    (await command(`explain event 2 --account ${ACCOUNT} --json`)).stdout,
  );
  const stated = {
    when: { model: "large", kind: "output" },
    from_quantity: null,
    from: {},
    credits: "15000000",
    per: "2",
  };
  expect(rate).toEqual({
    valid_from: "2026-01-01T00:00:00.000Z",
    ...stated,
    ...{ priced_by: "list", list: stated, own: null },
  });
  const banded = await command(`explain event 8 --account ${ACCOUNT}`);
  expect(banded.stdout).toMatch(
    /^rate +30 credits a unit, for model=large, kind=output, context from 1000, from 2026-01-01/m,
  );
  const { rate: ofVideo } = JSON.parse(
    (await command(`explain event v9 --account ${ACCOUNT} --json`)).stdout,
  );
  expect(ofVideo).toMatchObject({ when: {}, from_quantity: "9", from: {}, credits: "5000000" });
});

test("the rates are listed, one a line", async () => {
  const { stdout } = await command("rate list");
  expect(stdout).toMatch(/^METER +FOR +CREDITS +PER/);
  expect(stdout).toMatch(/^llm\.tokens +model=small-\*, kind=input +1 +3 /m);
  expect(stdout).toMatch(/^llm\.tokens +model=large, kind=output, context from 1000 +30 +1 /m);
  expect(stdout).toMatch(/^video\.seconds +quantity from 9 +5 +1 /m);
  const again = await command(`catalogue apply ${await file(CATALOGUE)}`);
  expect(again.stdout).toMatch(/nothing|unchanged/i);
  const refused = await command("rate set llm.tokens 1 --per 1");
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toContain(
    "has rates by dimensions or bands; state them in a catalogue file",
  );
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
  // 5 and 2 units, at half a credit.
  expect(JSON.parse(other.stdout).totals).toMatchObject({ difference: "3500000" });
  const longer = CATALOGUE.replace("from_quantity: 9", "from_quantity: 8");
  const banded = await command(`what-if --catalogue ${await file(longer)} ${range} --json`);
  expect(JSON.parse(banded.stdout).totals).toMatchObject({ difference: "16000000" });
});

function used(eventId: string, quantity: bigint, dimensions: Record<string, string>): Usage {
  return {
    accountId: ACCOUNT,
    meter: "llm.tokens",
    eventId,
    quantity,
    dimensions,
    occurredAt: now,
  };
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
