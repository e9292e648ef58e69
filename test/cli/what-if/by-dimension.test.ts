/** What past usage would have cost under another price table: by model and by account. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Books, openAccount, openBooks } from "../../support/books/books.ts";
import { openSubscriber } from "../../support/books/subscribers.ts";
import { drawdown, type Ran, words } from "../../support/cli/drawdown.ts";
import { meterEvents } from "../../support/cli/meter-events.ts";

const DAY = 24 * 60 * 60_000;

const PRESENT = `
meters:
  tokens:
    from: 2023-01-01T00:00:00Z
    dimensions: [model, kind]
    rates:
      - { when: { model: large }, credits: 0.000002, per: 1 }
      - { when: { model: small-*, kind: input }, credits: 0.000001, per: 3 }
      - { when: { model: small-* }, credits: 0.000001, per: 1 }
      - { credits: 0.000005, per: 1 }
  calls: { from: 2023-01-01T00:00:00Z, credits: 0.00001, per: 1 }
plans:
  basic: { from: 2023-01-01T00:00:00Z, credits: 100, first_credits: immediately, prices: { USD: { monthly: 10.00, yearly: 100.00 } } }
add_ons:
  voice: { from: 2023-01-01T00:00:00Z, credits: 7 }
`;

/** Large is dearer, small's output cheaper and its input the same; nothing else has a price. */
const OTHER = `
meters:
  tokens:
    dimensions: [model, kind]
    rates:
      - { when: { model: large }, credits: 0.000003, per: 1 }
      - { when: { model: small-*, kind: input }, credits: 0.000001, per: 3 }
      - { when: { model: small-* }, credits: 0.000001, per: 2 }
  calls: { credits: 0.00001, per: 1 }
`;

let books: Books;
let folder: string;
const now = Date.now();
const range = `--from ${iso(now - 2 * DAY)} --to ${iso(now + DAY)}`;

const run = (args: string[]): Promise<Ran> => drawdown(args, { env: { DATABASE_URL: books.url } });

async function file(text: string, name: string): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

async function whatIf(catalogue: string, options = ""): Promise<Ran> {
  const path = await file(catalogue, "other.yaml");
  return run(["what-if", "--catalogue", path, ...words(`${range} ${options}`)]);
}

async function json(catalogue: string, options = "") {
  return JSON.parse((await whatIf(catalogue, `${options} --json`)).stdout);
}

beforeAll(async () => {
  books = await openBooks();
  folder = await mkdtemp(join(tmpdir(), "what-if-by-"));
  const applied = await run(["catalogue", "apply", await file(PRESENT, "present.yaml")]);
  expect(applied).toMatchObject({ code: 0, stderr: "" });
  for (const id of ["acme", "bolt"]) await openAccount(books, id);
  const used = [
    ...["acme large input 10", "acme large output 20", "acme small-1 input 7"],
    ...["acme small-1 output 5", "acme huge input 3", "bolt large output 100"],
    ...["bolt small-2 input 8", "bolt small-2 output 40"],
  ];
  await meterEvents(books, [
    ...used.map((line, at) => {
      const [accountId = "", model = "", kind = "", quantity = "0"] = words(line);
      const event = { eventId: `e-${at}`, accountId, meter: "tokens", quantity: BigInt(quantity) };
      return { ...event, occurredAt: now - at * 1_000, dimensions: { model, kind } };
    }),
    { eventId: "call", accountId: "acme", meter: "calls", quantity: 2n, occurredAt: now - DAY },
  ]);
});
afterAll(async () => {
  await books.close();
  await rm(folder, { recursive: true, force: true });
});

const same = (charged: string, count: number) => ({
  ...{ count, charged, would_be: charged, difference: "0" },
  no_price: { count: 0, charged: "0" },
});

test("usage is priced by its dimensions under the other catalogue, by model and by account", async () => {
  const { by, totals, accounts } = await json(OTHER, "--by model");
  expect(by).toBe("model");
  const none = { count: 0, charged: "0" };
  expect(totals.values).toEqual([
    { value: "", ...same("20", 1) },
    {
      ...{ value: "huge", count: 0, charged: "0", would_be: "0", difference: "0" },
      no_price: { count: 1, charged: "15" },
    },
    // 130 tokens at 2 and at 3.
    {
      ...{ value: "large", count: 3, charged: "260", would_be: "390", difference: "130" },
      no_price: none,
    },
    // 7/3 + 5, and under the other 7/3 + 5/2.
    {
      ...{ value: "small-1", count: 2, charged: "7", would_be: "4", difference: "-3" },
      no_price: none,
    },
    {
      ...{ value: "small-2", count: 2, charged: "42", would_be: "22", difference: "-20" },
      no_price: none,
    },
  ]);
  expect(totals).toMatchObject({ count: 8, charged: "329", would_be: "436", difference: "107" });
  const [acme, bolt] = accounts;
  expect(acme).toMatchObject({ account_id: "acme", charged: "87", difference: "27" });
  expect(bolt.values).toMatchObject([
    { value: "large", charged: "200", would_be: "300" },
    { value: "small-2", charged: "42", would_be: "22" },
  ]);
});

test("under the same catalogue nothing differs, by any dimension", async () => {
  for (const by of ["model", "kind", "none"]) {
    const { totals } = await json(PRESENT, `--by ${by}`);
    for (const { value, count, charged, ...rest } of totals.values) {
      expect({ value, ...rest, count, charged }).toEqual({ value, ...same(charged, count) });
    }
    expect(totals).toMatchObject({ count: 9, difference: "0" });
  }
  const { by, totals } = await json(PRESENT);
  expect([by, totals.values]).toEqual([null, []]);
});

test("one price for all models is another table, too", async () => {
  const { totals } = await json("meters: { tokens: { credits: 0.000002, per: 1 } }", "--by model");
  expect(totals.values).toMatchObject([
    { value: "", count: 0, no_price: { count: 1, charged: "20" } },
    { value: "huge", charged: "15", would_be: "6" },
    { value: "large", difference: "0" },
    { value: "small-1", would_be: "24" },
    { value: "small-2", would_be: "96" },
  ]);
});

test("as text, values come the largest difference first, and those without a price are listed", async () => {
  const ran = await whatIf(OTHER, "--by model");
  expect(ran.code).toBe(1);
  const table = ran.stdout.split("\n\n").find((part) => part.startsWith("MODEL"));
  const rows = table?.split("\n").map((line) => line.split(/ {2,}/));
  expect(rows).toEqual([
    ["MODEL", "COUNT", "CHARGED", "WOULD BE", "DIFFERENCE"],
    ["large", "3", "0.00026", "0.00039", "+0.00013"],
    ["small-2", "2", "0.000042", "0.000022", "-0.00002"],
    ["small-1", "2", "0.000007", "0.000004", "-0.000003"],
    ["(none)", "1", "0.00002", "0.00002", "0"],
    ["huge", "0", "0", "0", "0"],
  ]);
  expect(ran.stdout).toContain(
    "\nNo price: 1 event of model huge, charged 0.000015 credits, not compared.",
  );
  expect(ran.stdout).toMatch(/\nbolt +model large +0\.0002 +0\.0003 +\+0\.0001\n/);
  const two = await whatIf(OTHER, "--by model --limit 2");
  expect(two.stdout).toContain("\nThere are 3 more values: --limit, or --csv for all of them\n");
});

test("CSV has a row for each value of each account", async () => {
  const { stdout } = await whatIf(OTHER, "--by model --csv -");
  expect(stdout.split("\r\n")).toEqual(
    expect.arrayContaining([
      "bolt,value,large,credits,1,,0.0002,0.0003,0.0001,0,,0",
      "acme,value,huge,credits,0,,0,0,0,1,,0.000015",
    ]),
  );
});

test("usage alone is compared with a table that states no plans and add-ons", async () => {
  await openSubscriber(books, "planned", { at: now, voices: 0, planId: "basic" });
  const complete = `${OTHER.trimEnd()}\n`.replace(
    "per: 2 }",
    "per: 2 }\n      - { credits: 0.000005, per: 1 }",
  );
  expect(await whatIf(complete)).toMatchObject({ code: 1 });
  const ran = await whatIf(complete, "--usage-only --by model");
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  expect(ran.stdout).not.toContain("PLANS");
});

test("a dimension of too many values is refused", async () => {
  await openAccount(books, "many");
  const events = Array.from({ length: 10_001 }, (_, at) => ({
    ...{ eventId: `m-${at}`, accountId: "many", meter: "calls", quantity: 1n },
    ...{ occurredAt: now - DAY, dimensions: { request: `r-${at}` } },
  }));
  await meterEvents(books, events);
  expect(await whatIf(PRESENT, "--by request")).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("too much in that range"),
  });
  expect(await whatIf(PRESENT, "--by model")).toMatchObject({ code: 0 });
});

function iso(at: number): string {
  return new Date(at).toISOString();
}
