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
 * One account pays the list, one has a discount and rates of its own, through the real topic and metering. Explaining,
 * reconciling, replaying and what-if find the same prices.
 */
const HOUR = 60 * 60_000;
const now = Date.now();
const kafka = testKafka();

const CATALOGUE = `meters:
  calls: { from: 2026-01-01T00:00:00Z, credits: 3, per: 7 }
  llm.tokens:
    from: 2026-01-01T00:00:00Z
    dimensions: [model]
    rates:
      - { when: { model: large }, credits: 3, per: 1 }
      - { when: { model: small }, credits: 1, per: 3 }
`;

const OWN = `dimensions: [model]
rates: [{ when: { model: l* }, credits: 2, per: 1 }]
`;

let giveTopicBack: () => Promise<void>;
let books: Books;
let publisher: UsagePublisher;
let metering: MeteringProcess;
let folder: string;

beforeAll(async () => {
  giveTopicBack = await takeUsageTopic(kafka);
  books = await openBooks();
  folder = await mkdtemp(join(tmpdir(), "own-rates-"));
  expect(await command(`catalogue apply ${await file(CATALOGUE)}`)).toMatchObject({ code: 0 });
  for (const account of ["lister", "dealer"]) {
    await openAccount(books, account, { lots: [{ credits: 1_000_000_000n }] });
  }
  const from = `--from ${iso(now - HOUR)} --by ines --reason contract`;
  for (const terms of [
    `--discount 12.5% ${from}`,
    `--meter llm.tokens --file ${await file(OWN)} ${from}`,
  ]) {
    const { code, stderr } = await command(`rate own set dealer ${terms}`);
    expect(code, stderr).toBe(0);
  }
  publisher = await openUsagePublisher(kafka);
  metering = startMetering({ ...process.env, DATABASE_URL: books.url });
  await publisher.publish(
    ["lister", "dealer"].flatMap((account) => [
      used(account, "calls", 1n),
      used(account, "calls", 8n),
      used(account, "llm.tokens", 2n, { model: "large" }),
      used(account, "llm.tokens", 1n, { model: "small" }),
      used(account, "llm.tokens", 5n, { model: "largest" }),
      { ...used(account, "calls", 70n), occurredAt: now - 2 * HOUR },
    ]),
  );
  await untilCaughtUp(kafka, books.database);
}, 300_000);

afterAll(async () => {
  await metering?.stop();
  await publisher?.close();
  await books?.close();
  await giveTopicBack?.();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

test("each account pays its own price, from the instant on at which its terms begin", async () => {
  const { rows } = await books.database.query(
    "SELECT account_id, event_id, credits FROM usage_record ORDER BY account_id, kafka_offset",
  );
  const paid = (account: string) =>
    Object.fromEntries(
      rows.filter((row) => row.account_id === account).map((row) => [row.event_id, row.credits]),
    );
  expect(paid("lister")).toEqual({
    ...{ "calls-1": 428_571n, "calls-8": 3_428_571n, "calls-70": 30_000_000n },
    ...{ "llm.tokens-2-large": 6_000_000n, "llm.tokens-1-small": 333_333n },
  });
  // Seven eighths of 3/7 and 24/7; own rates for what begins with l, and the list for the rest.
  expect(paid("dealer")).toEqual({
    ...{ "calls-1": 375_000n, "calls-8": 3_000_000n, "calls-70": 30_000_000n },
    ...{ "llm.tokens-2-large": 4_000_000n, "llm.tokens-1-small": 333_333n },
    "llm.tokens-5-largest": 10_000_000n,
  });
  expect(await brokenInvariants(books.database)).toEqual([]);
});

test("explaining an event shows the list's rate, the own terms and what they made of it", async () => {
  const { stdout } = await command("explain event calls-8 --account dealer");
  expect(stdout).toMatch(/^rate +2\.625 credits for 7 units, from /m);
  expect(stdout).toMatch(/^list rate +3 credits for 7 units$/m);
  expect(stdout).toMatch(
    /^own terms +12\.5 % off, on all meters, from .*, set by ines: contract$/m,
  );
  const rateOf = async (event: string, account = "dealer") =>
    JSON.parse((await command(`explain event ${event} --account ${account} --json`)).stdout).rate;
  expect(await rateOf("llm.tokens-5-largest")).toMatchObject({
    ...{ when: { model: "l*" }, credits: "2000000", per: "1", priced_by: "own_rate", list: null },
    own: { meter: "llm.tokens", discount: null, reason: "contract", set_by: "ines" },
  });
  expect(await rateOf("llm.tokens-1-small")).toMatchObject({
    ...{ when: { model: "small" }, credits: "1000000", per: "3", priced_by: "list" },
    own: { meter: "llm.tokens" },
  });
  expect(await rateOf("calls-70")).toMatchObject({ priced_by: "list", own: null });
  expect(await rateOf("calls-8", "lister")).toMatchObject({ priced_by: "list", own: null });
});

test("own terms are listed, change nothing again, and change no price that was paid", async () => {
  const { stdout } = await command("rate own list dealer");
  expect(stdout).toMatch(/^METER +PAYS +VALID FROM +SET BY +REASON$/m);
  expect(stdout).toMatch(/^all others +12\.5 % less than the list /m);
  expect(stdout).toMatch(/^llm\.tokens +1 rate by model /m);
  expect((await command("rate own list lister")).stdout).toContain("lister pays the list");
  const from = `--from ${iso(now - HOUR)} --reason again`;
  const again = await command(`rate own set dealer --discount 12.5 ${from}`);
  expect(again).toMatchObject({ code: 0 });
  expect(again.stdout).toContain("already exist; nothing was changed");
  const other = await command(`rate own set dealer --discount 13 ${from}`);
  expect(other).toMatchObject({ code: 1 });
  const earlier = await command(
    `rate own set dealer --discount 13 --from ${iso(now)} --reason more`,
  );
  expect(earlier).toMatchObject({ code: 1 });
  expect(earlier.stderr).toContain("cannot change before");
  expect(await command("rate own set dealer --meter clals --discount 5 --reason x")).toMatchObject({
    code: 1,
  });
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

test("what-if applies the accounts' own terms to the other catalogue", async () => {
  const range = `--from ${iso(now - 3 * HOUR)} --to ${iso(now + HOUR)}`;
  const same = await command(`what-if --catalogue ${await file(CATALOGUE)} ${range} --json`);
  expect(JSON.parse(same.stdout).totals).toMatchObject({ difference: "0" });
  const dearer = CATALOGUE.replace("credits: 3, per: 7", "credits: 4, per: 7");
  const other = await command(`what-if --catalogue ${await file(dearer)} ${range} --json`);
  // 79 calls of lister, 70 of dealer at the list and 9 at seven eighths of it: a seventh of a credit more for each.
  expect(JSON.parse(other.stdout).totals).toMatchObject({ difference: "22410715" });
});

test("what-if prices all usage with the own rates of one account", async () => {
  const range = `--from ${iso(now - 3 * HOUR)} --to ${iso(now + HOUR)} --usage-only --json`;
  const whatIf = `what-if --catalogue ${await file(CATALOGUE)} ${range}`;
  const paid = callsOf(await command(whatIf));
  expect(paid["lister"].charged).not.toBe(paid["dealer"].charged);
  // Both made the same calls.
  for (const account of ["lister", "dealer"]) {
    const { charged } = paid[account];
    const under = callsOf(await command(`${whatIf} --rates-of ${account}`));
    expect(under).toMatchObject({ lister: { would_be: charged }, dealer: { would_be: charged } });
  }
  expect(await command(`${whatIf} --rates-of lister`)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("1 event or charge has no price"),
  });
  expect(await command(`${whatIf} --rates-of nobody`)).toMatchObject({ code: 1, stdout: "" });
});

/** What each account paid for calls, and would have. */
function callsOf({ stdout }: { readonly stdout: string }) {
  const { accounts } = JSON.parse(stdout);
  return Object.fromEntries(
    accounts.map((one: { account_id: string; meters: { meter: string }[] }) => [
      one.account_id,
      one.meters.find(({ meter }) => meter === "calls"),
    ]),
  );
}

function used(
  accountId: string,
  meter: string,
  quantity: bigint,
  dimensions: Record<string, string> = {},
): Usage {
  const eventId = [meter, quantity, ...Object.values(dimensions)].join("-");
  return { accountId, meter, eventId, quantity, dimensions, occurredAt: now };
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
