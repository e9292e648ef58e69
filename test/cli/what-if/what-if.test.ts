import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAX_BIGINT } from "../../../shared/core/line/credit-line.ts";
import {
  type Books,
  openAccount,
  openAccountWithCard,
  openBooks,
  setPrice,
} from "../../support/books/books.ts";
import { drawdown, type Ran, words } from "../../support/cli/drawdown.ts";
import { everyTable } from "../../support/cli/every-table.ts";
import { meterEvents, type Used } from "../../support/cli/meter-events.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** The catalogue in the books. */
const PRESENT = `
meters:
  w-tokens: { from: 2023-01-01T00:00:00Z, credits: 2.5, per: 1000 }
  w-calls: { from: 2023-01-01T00:00:00Z, credits: 0.5, per: 1 }
plans:
  w-small: { from: 2023-01-01T00:00:00Z, credits: 100, first_credits: immediately, prices: { USD: { monthly: 10.00, yearly: 100.00 } } }
  w-large: { from: 2023-01-01T00:00:00Z, credits: 300, first_credits: immediately, prices: { USD: { monthly: 25.00, yearly: 250.00 } } }
add_ons:
  w-voice: { from: 2023-01-01T00:00:00Z, credits: 7 }
`;

let books: Books;
let folder: string;
let used: Used[];
const now = Date.now();
const range = `--from ${iso(now - 2 * DAY)} --to ${iso(now + DAY)}`;

const run = (args: string[]): Promise<Ran> => drawdown(args, { env: { DATABASE_URL: books.url } });

async function file(text: string, name = "other.yaml"): Promise<string> {
  await writeFile(join(folder, name), text);
  return join(folder, name);
}

/** Runs what-if under a catalogue, by default over all usage of this test. */
async function whatIf(catalogue: string, options = "", within = range): Promise<Ran> {
  return run(["what-if", "--catalogue", await file(catalogue), ...words(`${within} ${options}`)]);
}

async function json(catalogue: string, options = "", within = range) {
  return JSON.parse((await whatIf(catalogue, `${options} --json`, within)).stdout);
}

/** 12,000 events of one account, which are read in two pages, and a few of two others. */
beforeAll(async () => {
  books = await openBooks();
  folder = await mkdtemp(join(tmpdir(), "what-if-"));
  expect(await run(["catalogue", "apply", await file(PRESENT, "present.yaml")])).toMatchObject({
    code: 0,
  });
  for (const id of ["w-many", "w-few", "w-none"]) await openAccount(books, id);
  await openAccountWithCard(books, "w-plan");
  used = [
    ...Array.from({ length: 12_000 }, (_, at) => ({
      eventId: `m-${at}`,
      accountId: "w-many",
      meter: at % 3 === 0 ? "w-calls" : "w-tokens",
      quantity: BigInt((at * 7919) % 5003),
      occurredAt: now - DAY + (at % 1000) * MINUTE,
    })),
    ...[1n, 0n, 333n].map((quantity, at) => {
      const occurredAt = now - at * MINUTE;
      return { eventId: `f-${at}`, accountId: "w-few", meter: "w-tokens", quantity, occurredAt };
    }),
  ];
  await meterEvents(books, used);
  for (const line of [
    "subscription start w-plan w-small --renewal day-of-month",
    "add-on set w-plan w-voice 3",
    "subscription change-plan w-plan w-large",
  ]) {
    expect(await run(words(line))).toMatchObject({ code: 0 });
  }
});
afterAll(async () => {
  await books.close();
  await rm(folder, { recursive: true, force: true });
});

describe("what-if", () => {
  test("under the same catalogue, nobody would have been charged anything else", async () => {
    // Without from it applies to the whole range, too.
    for (const same of [PRESENT, PRESENT.replaceAll("from: 2023-01-01T00:00:00Z, ", "")]) {
      const ran = await whatIf(same, "--json");
      expect(ran).toMatchObject({ code: 0, stderr: "" });
      const { totals, winners, losers, unchanged, accounts } = JSON.parse(ran.stdout);
      expect(totals).toMatchObject({ count: 12_004, difference: "0", no_price: { count: 0 } });
      expect(BigInt(totals.charged)).toBeGreaterThan(0n);
      expect([winners.count, losers.count, unchanged]).toEqual([0, 0, 3]);
      for (const { difference, meters, add_ons, plans } of accounts) {
        expect(difference).toBe("0");
        for (const part of [...meters, ...add_ons]) expect(part.difference).toBe("0");
        for (const plan of plans) {
          expect(plan.would_give).toBe(plan.given);
          expect(plan.would_charge).toBe(plan.charged);
        }
      }
    }
  });

  test("prices each event again on its own, at the instant at which it occurred", async () => {
    const change = now - DAY + 500 * MINUTE;
    const other = `
meters:
  w-tokens:
    - { credits: 3, per: 1000 }
    - { from: ${iso(change)}, credits: 1.000001, per: 7 }
  w-calls: { credits: 0.25, per: 1 }
plans:
  w-small: { credits: 1, prices: { USD: { monthly: 1.00, yearly: 1.00 } } }
  w-large: { credits: 1, prices: { USD: { monthly: 1.00, yearly: 1.00 } } }
add_ons: { w-voice: { credits: 7 } }
`;
    // By hand, in sevenths: what is left of a micro-credit is carried along under the rate per 7.
    const sevenths = ({ meter, quantity, occurredAt = 0 }: Used): bigint => {
      if (meter === "w-calls") return 7n * quantity * 250_000n;
      return occurredAt < change ? 7n * quantity * 3_000n : quantity * 1_000_001n;
    };
    const priced = (events: readonly Used[]) => BigInt(sum(events, sevenths)) / 7n;
    const was = ({ meter, quantity }: Used) => quantity * (meter === "w-calls" ? 500_000n : 2_500n);
    const sum = (events: readonly Used[], of: (event: Used) => bigint) =>
      events.reduce((total, event) => total + of(event), 0n).toString();

    const told = await json(other);
    for (const account of ["w-many", "w-few"]) {
      const own = used.filter(({ accountId }) => accountId === account);
      const shown = told.accounts.find((one: { account_id: string }) => one.account_id === account);
      expect(shown).toMatchObject({
        count: own.length,
        charged: sum(own, was),
        would_be: priced(own).toString(),
        difference: (priced(own) - BigInt(sum(own, was))).toString(),
      });
      for (const { meter, ...shownOfMeter } of shown.meters) {
        const events = own.filter((event) => event.meter === meter);
        expect(shownOfMeter).toMatchObject({
          count: events.length,
          quantity: sum(events, ({ quantity }) => quantity),
          charged: sum(events, was),
          would_be: priced(events).toString(),
        });
      }
    }
  });

  test("the range includes its first instant and not its last", async () => {
    const at = now - MINUTE;
    const count = async (options: string, from: number, to: number) =>
      (await json(PRESENT, options, `--from ${iso(from)} --to ${iso(to)}`)).totals.count;
    // Of one account its draws are read, of all of them the whole table.
    for (const options of ["--account w-few", ""]) {
      expect(await count(options, at, at + 1)).toBe(1);
      expect(await count(options, at - MINUTE, at)).toBe(1);
    }
    const ran = await whatIf(PRESENT, "--account w-few", `--from ${iso(at + 1)} --to ${iso(now)}`);
    expect(ran).toEqual({
      code: 1,
      stdout: "",
      stderr: `nothing was used or charged from ${iso(at + 1)} to ${iso(now)}; name another range\n`,
    });
  });

  test("names who would have paid less and more, the largest difference first", async () => {
    const { winners, losers, unchanged } = await json(
      PRESENT.replace("credits: 2.5,", "credits: 3,").replace("credits: 7", "credits: 5"),
    );
    expect(winners).toEqual({
      count: 1,
      furthest: [{ account_id: "w-plan", difference: "-6000000" }],
    });
    expect(losers.furthest.map((one: { account_id: string }) => one.account_id)).toEqual([
      "w-many",
      "w-few",
    ]);
    expect(unchanged).toBe(0);
    const { stdout } = await whatIf(
      PRESENT.replace("credits: 2.5,", "credits: 3,").replace("credits: 7", "credits: 5"),
      "--account w-plan --by-meter",
    );
    expect(stdout).toContain("1 account would have paid less: w-plan -6\n");
    expect(stdout).toMatch(/\nw-plan +add-on w-voice +21 +15 +-6\n/);
    expect(stdout).toMatch(/\nw-plan +plan w-large, credits granted +200 +200 +0\n/);
  });

  test("plans grant and cost what the other catalogue states, with credits and money separate", async () => {
    const { accounts, totals } = await json(
      PRESENT.replace("credits: 100", "credits: 120")
        .replace("monthly: 10.00", "monthly: 4.00")
        .replace("monthly: 25.00", "monthly: 30.00"),
      "--account w-plan",
    );
    // The month at 4 instead of 10 dollars, and what lacks to 30 instead of 25.
    expect(accounts[0].plans).toEqual([
      {
        ...{ plan_id: "w-large", currency: "USD", given: "200000000", would_give: "180000000" },
        ...{ charged: "1500", would_charge: "2600" },
      },
      {
        ...{ plan_id: "w-small", currency: "USD", given: "100000000", would_give: "120000000" },
        ...{ charged: "1000", would_charge: "400" },
      },
    ]);
    expect(totals.plans).toEqual([
      {
        ...{ currency: "USD", given: "300000000", would_give: "300000000" },
        ...{ charged: "2500", would_charge: "3000" },
      },
    ]);
    expect(totals.difference).toBe("0");
  });

  test("lists what the other catalogue has no price for, and never guesses", async () => {
    const only = `
meters:
  w-calls: { credits: 0.5, per: 1 }
  w-tokens: { from: ${iso(now - 30_000)}, credits: 2.5, per: 1000 }
`;
    const ran = await whatIf(only);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toBe(
      `8,003 events and charges and 2 plans have no price in ${join(folder, "other.yaml")}, so the comparison is incomplete\n`,
    );
    expect(ran.stdout).toContain("\nNo price: 8,002 events of w-tokens, charged ");
    expect(ran.stdout).toContain(
      "\nNo price: 1 charge of add-on w-voice, charged 21 credits, not compared.\n",
    );
    expect(ran.stdout).toContain("\nNo price: plan w-small of 1 account, not compared.\n");
    const { accounts } = await json(only, "--account w-few");
    expect(accounts[0]).toMatchObject({
      ...{ count: 1, charged: "2500", would_be: "2500", difference: "0" },
      no_price: { count: 2, charged: "832500" },
    });
  });

  test("totals that exceed 64 bits are exact decimal strings", async () => {
    await setPrice(books, "w-huge", 1n);
    const at = now - 20 * DAY;
    const accounts = ["w-huge-1", "w-huge-2"];
    for (const id of accounts) await openAccount(books, id);
    await meterEvents(
      books,
      accounts.map((accountId) => {
        const eventId = accountId;
        return { eventId, accountId, meter: "w-huge", quantity: MAX_BIGINT, occurredAt: at };
      }),
    );
    const within = `--from ${iso(at)} --to ${iso(at + 1)}`;
    const told = await json("meters: { w-huge: { credits: 0.000003, per: 1 } }", "", within);
    const all = {
      charged: `${2n * MAX_BIGINT}`,
      would_be: `${6n * MAX_BIGINT}`,
      difference: `${4n * MAX_BIGINT}`,
    };
    expect(told.totals).toMatchObject(all);
    expect(told.totals.meters).toMatchObject([{ quantity: `${2n * MAX_BIGINT}`, ...all }]);
    expect(told.losers.furthest).toContainEqual({
      ...{ account_id: "w-huge-1", difference: `${2n * MAX_BIGINT}` },
    });
    expect(told.accounts[0].would_be).toBe(`${3n * MAX_BIGINT}`);
    const unpriced = await json("meters: { w-calls: { credits: 1, per: 1 } }", "", within);
    expect(unpriced.totals.no_price.charged).toBe(`${2n * MAX_BIGINT}`);
  });

  test("CSV has a row for each meter, add-on and plan of each account", async () => {
    const other = PRESENT.replace("credits: 2.5,", "credits: 3,");
    const ran = await whatIf(other, "--csv -");
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    const [head, ...rows] = ran.stdout.split("\r\n");
    expect(head).toBe(
      "account_id,kind,id,unit,count,quantity,charged,would_be,difference,no_price_count,no_price_quantity,no_price_charged",
    );
    expect(rows).toContain("w-few,meter,w-tokens,credits,3,334,0.835,1.002,0.167,0,0,0");
    expect(rows).toContain("w-plan,add_on,w-voice,credits,1,3,21,21,0,0,0,0");
    expect(rows).toContain("w-plan,plan_credits,w-large,credits,,,200,200,0,,,");
    expect(rows).toContain("w-plan,plan_price,w-small,USD,,,10.00,10.00,0.00,,,");
    expect(rows).toHaveLength(9);
    const csv = join(folder, "out.csv");
    const toFile = await whatIf(other, `--csv ${csv}`);
    expect(toFile.stdout).toMatch(/^Under \S+other\.yaml, from /);
    expect(await readFile(csv, "utf8")).toBe(ran.stdout);
    expect(await whatIf(other, `--csv ${folder}/no/such/folder.csv`)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^cannot write \S+folder\.csv: ENOENT/),
    });
  });

  test("changes nothing, and refuses in one sentence", async () => {
    const before = await everyTable(books);
    await whatIf(PRESENT.replace("credits: 7", "credits: 9"));
    const day = iso(now);
    const refusals: [ran: Ran, code: number, stderr: string][] = [
      [
        await whatIf(PRESENT, "", `--from ${day} --to ${day}`),
        2,
        `--from ${day} must be before --to ${day}: the range is empty`,
      ],
      [await whatIf(PRESENT, "--account nobody"), 1, "there is no account nobody"],
      [
        await whatIf(PRESENT, "--csv - --json"),
        2,
        '{"error":"--csv - and --json both write to standard output"}',
      ],
      [
        await whatIf(PRESENT, "", `--from yesterday --to ${day}`),
        2,
        '--from must be an instant like 2026-09-01T00:00:00Z, not "yesterday"',
      ],
      [
        await run(["what-if", "--catalogue", "/no/such.yaml", ...words(range)]),
        1,
        "cannot read /no/such.yaml: ENOENT: no such file or directory, open '/no/such.yaml'",
      ],
    ];
    for (const [ran, code, sentence] of refusals) {
      expect(ran).toEqual({ code, stdout: "", stderr: `${sentence}\n` });
    }
    const wrong = await whatIf("meters:\n  w-calls: { credits: -1, per: 1 }\n");
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toMatch(/other\.yaml:2: meters\.w-calls\.credits: .*\n$/);
    expect(wrong.stderr).toMatch(/^1 problem in \S+; nothing was calculated\n$/);
    expect(await everyTable(books)).toEqual(before);
  });
});

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
