import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { grantToServices, userOf } from "../../../infra/postgres/grant-to-services.ts";
import {
  type Books,
  giveCard,
  openAccount,
  openBooks,
  setPrice,
} from "../../support/books/books.ts";
import { brokenInvariants } from "../../support/books/invariants.ts";
import { drawdown, words } from "../../support/cli/drawdown.ts";
import { everyTable } from "../../support/cli/every-table.ts";
import { meterEvents } from "../../support/cli/meter-events.ts";
import { offer } from "../../support/cli/offer.ts";

const HOUR = 3_600_000;

let books: Books;
const run = (line: string) => drawdown(words(line), { env: { DATABASE_URL: books.url } });
const json = async (line: string) => JSON.parse((await run(`${line} --json`)).stdout);
const at = (instant: number) => new Date(instant).toISOString();
const historyAt = (account: string, instant: number) =>
  json(`account history ${account} --at ${at(instant)}`);

/** The instant of the first changes; everything else happens later. */
async function moment(): Promise<number> {
  const now = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 2));
  return now;
}

beforeAll(async () => {
  books = await openBooks();
  await setPrice(books, "h-calls", 1_000_000n);
});
afterAll(() => books.close());

describe("account history", () => {
  test("shows each past state of an account at its instant, lot by lot", async () => {
    await openAccount(books, "h-steps", { lots: [{ credits: 5_000_000n }], at: Date.now() - 10 });
    const accountId = "h-steps";
    const call = { accountId, meter: "h-calls" };
    const seen: { instant: number; account: unknown; lots: unknown }[] = [];
    const look = async () => {
      const account = await json("account show h-steps");
      const { items: lots } = await json("lots h-steps");
      seen.push({ instant: await moment(), account, lots });
    };
    await look();
    await meterEvents(books, [{ ...call, eventId: "s-1", quantity: 2n }]);
    await look();
    await run("grant h-steps 10 --lot-id gift");
    await run("grant h-steps 4 --lot-id last");
    await look();
    // Gift lies wholly ahead: cut to 3, last moves up.
    await run("lot withdraw h-steps gift --credits 7");
    await look();
    await meterEvents(books, [{ ...call, eventId: "s-2", quantity: 5n }]);
    await look();
    await run("lot withdraw h-steps gift");
    await look();
    await meterEvents(books, [{ ...call, eventId: "s-3", quantity: 6n }]);
    await look();

    for (const { instant, account, lots } of seen) {
      const { balance, granted, position, entries } = account as Record<string, string>;
      const history = await historyAt("h-steps", instant);
      const then = { balance, granted, position, entries };
      expect(history).toMatchObject({ differs: false, at: at(instant) });
      expect(history.as_it_stood).toMatchObject(then);
      expect(history.as_known_now).toMatchObject(then);
      const told = (lot: Record<string, string>) => [
        ...[lot["lot_id"], lot["source"], lot["credits"], lot["remaining"]],
        ...[lot["start"], lot["end"], lot["expires_at"]],
      ];
      const stood = history.as_it_stood.lots.map(told);
      expect(stood).toEqual((lots as Record<string, string>[]).map(told));
    }
    const { stdout } = await run(`account history h-steps --at ${at(seen[0]?.instant ?? 0)}`);
    expect(stdout).toMatch(
      /^Account h-steps at \S+Z\n\n +AS IT STOOD +AS KNOWN NOW\nbalance +5 +5\n/,
    );
    expect(stdout).toContain(
      "Nothing was posted or metered later: the books knew then what is known now.",
    );
  });

  test("usage metered later is known now and was not known then", async () => {
    const opened = Date.now() - 3 * HOUR;
    await openAccount(books, "h-late", { lots: [{ credits: 5_000_000n }], at: opened });
    const call = { accountId: "h-late", meter: "h-calls" };
    await meterEvents(books, [
      { ...call, eventId: "l-1", quantity: 2n, occurredAt: opened + HOUR },
      { ...call, eventId: "l-2", quantity: 1n, occurredAt: opened + 2 * HOUR },
    ]);
    const history = await historyAt("h-late", opened + HOUR);
    expect(history).toMatchObject({
      differs: true,
      as_it_stood: { balance: "5000000", position: "0", lots: [{ remaining: "5000000" }] },
      as_known_now: { balance: "3000000", position: "2000000", lots: [{ remaining: "3000000" }] },
      came_in_later: { events: 1, usage: "2000000", entries: [] },
    });
    // Usage counts from the instant at which it occurred.
    expect((await historyAt("h-late", opened + HOUR - 1)).as_known_now.balance).toBe("5000000");
    expect((await historyAt("h-late", opened + 2 * HOUR)).as_known_now.balance).toBe("2000000");
    const { stdout } = await run(`account history h-late --at ${at(opened + HOUR)}`);
    expect(stdout).toMatch(/balance +5 +3\n/);
    expect(stdout).toContain("Metered later: 2 credits for 1 event that occurred by then.");
  });

  test("usage from a clock that is ahead was in the books then and counts as later now", async () => {
    await openAccount(books, "h-ahead", { lots: [{ credits: 5_000_000n }], at: Date.now() - 10 });
    const occurredAt = Date.now() + 60_000;
    const call = { accountId: "h-ahead", meter: "h-calls", quantity: 1n };
    await meterEvents(books, [{ ...call, eventId: "a-1", occurredAt }]);
    expect(await historyAt("h-ahead", await moment())).toMatchObject({
      as_it_stood: { balance: "4000000" },
      as_known_now: { balance: "5000000" },
      metered_ahead: "1000000",
    });
  });

  test("an expiry posted later is known now at the instant it fell due", async () => {
    const opened = Date.now() - 3 * HOUR;
    const expiresAt = opened + HOUR;
    await openAccount(books, "h-ends", {
      lots: [{ credits: 5_000_000n, expiresAt }, { credits: 1_000_000n }],
      at: opened,
    });
    const call = { accountId: "h-ends", meter: "h-calls", quantity: 1n };
    await meterEvents(books, [
      { ...call, eventId: "x-1", occurredAt: opened },
      { ...call, eventId: "x-2" },
    ]);
    expect((await historyAt("h-ends", expiresAt - 1)).as_known_now.balance).toBe("5000000");
    expect(await historyAt("h-ends", expiresAt)).toMatchObject({
      as_it_stood: {
        balance: "6000000",
        lots: [{ remaining: "5000000" }, { remaining: "1000000" }],
      },
      as_known_now: { balance: "1000000", lots: [{ remaining: "0" }, { remaining: "1000000" }] },
      came_in_later: { entries: [{ kind: "expiry", credits: "-4000000" }] },
    });
    const { stdout } = await run(`account history h-ends --at ${at(expiresAt)}`);
    expect(stdout).toMatch(/Posted later: entry 3, expiry of -4 credits, at \S+Z\.\n/);
  });

  test("shows the settings and the subscription of the instant, and who set them", async () => {
    await offer(
      books,
      { "h-small": { credits: 1_000_000n }, "h-large": { credits: 2_000_000n } },
      { "h-voice": 500_000n },
    );
    await run("account create h-sets --threshold 5 --time-zone Europe/Berlin --by anna");
    const created = await moment();
    await run("account set h-sets --threshold 7 --time-zone Asia/Tokyo --by ben");
    await run("top-up set h-sets --auto off --amount 25 --by carl");
    await giveCard(books, "h-sets");
    await run("subscription start h-sets h-small --renewal day-of-month");
    await run("add-on set h-sets h-voice 2");
    const set = await moment();
    await run("top-up set h-sets --auto on");
    await run("subscription change-plan h-sets h-large");
    await run("subscription cancel h-sets");
    const last = await moment();

    expect(await historyAt("h-sets", created)).toMatchObject({
      subscription: null,
      add_ons: [],
      settings: {
        set_by: "anna",
        threshold: "5000000",
        at_or_below_threshold: true,
        time_zone: "Europe/Berlin",
        auto_top_up: { enabled: true, amount: "1000" },
      },
    });
    expect(await historyAt("h-sets", set)).toMatchObject({
      subscription: { plan_id: "h-small", cancelled: false },
      add_ons: [{ add_on_id: "h-voice", quantity: 2 }],
      settings: {
        set_by: "carl",
        threshold: "7000000",
        time_zone: "Asia/Tokyo",
        auto_top_up: { enabled: false, amount: "2500" },
      },
    });
    expect(await historyAt("h-sets", last)).toMatchObject({
      subscription: { plan_id: "h-large", cancelled: true },
      settings: { auto_top_up: { enabled: true } },
    });
    const { rows } = await books.database.query(
      "SELECT sequence, changed_by FROM setting_change WHERE account_id = 'h-sets' ORDER BY 1",
    );
    expect(rows.map(({ changed_by }) => changed_by).slice(0, 3)).toEqual(["anna", "ben", "carl"]);
    expect(rows.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  });

  test("finds a setting that was changed by hand, without a history entry", async () => {
    await openAccount(books, "h-hand");
    expect(await brokenInvariants(books.database, "h-hand")).toEqual([]);
    await run("account set h-hand --threshold 3");
    await run("top-up set h-hand --amount 20");
    expect(await brokenInvariants(books.database, "h-hand")).toEqual([]);
    await books.database.query(
      "UPDATE auto_top_up SET amount = amount + 1 WHERE account_id = 'h-hand'",
    );
    expect(await brokenInvariants(books.database, "h-hand")).toEqual([
      "changes of settings count up from 1, and the last one has the current settings: h-hand",
    ]);
  });

  test("accounts that are older than the history have one from its start on", async () => {
    const older = await openBooks();
    try {
      const opened = Date.now() - HOUR;
      await openAccount(older, "h-older", { at: opened, threshold: 4_000_000n });
      const env = { DATABASE_URL: older.url };
      await drawdown(words("top-up set h-older --auto off"), { env });
      const [, up = "", down = ""] = (
        await readFile("infra/postgres/migrations/0008_setting_changes.sql", "utf8")
      ).split(/-- (?:Up|Down) Migration/);
      const { rows } = await older.database.query<{ owner: string }>(
        "SELECT tableowner AS owner FROM pg_tables WHERE tablename = 'migration'",
      );
      const owner = rows[0]?.owner;
      await older.database.query(`GRANT CREATE ON SCHEMA public TO ${owner}`);
      await older.database.query(`SET ROLE ${owner}; ${down}; ${up}; RESET ROLE`);
      await grantToServices(older.database, userOf(older.url), () => undefined);
      const ask = async (instant: number) => {
        const line = `account history h-older --at ${at(instant)} --json`;
        return JSON.parse((await drawdown(words(line), { env })).stdout).settings;
      };
      expect(await ask(opened)).toEqual({
        known: false,
        known_from: expect.stringMatching(/Z$/),
      });
      expect(await ask(await moment())).toMatchObject({
        ...{ known: true, set_by: "migration", threshold: "4000000" },
        auto_top_up: { enabled: false },
      });
      expect(await brokenInvariants(older.database)).toEqual([]);
    } finally {
      await older.close();
    }
  });

  test("settings from before the history are not guessed", async () => {
    const opened = Date.now() - HOUR;
    await openAccount(books, "h-old", { at: opened });
    await books.database.query(
      "UPDATE setting_change SET changed_at = now() WHERE account_id = 'h-old'",
    );
    expect((await historyAt("h-old", opened)).settings).toEqual({
      known: false,
      known_from: expect.stringMatching(/Z$/),
    });
    const { stdout } = await run(`account history h-old --at ${at(opened)}`);
    expect(stdout).toMatch(/\nsettings +not known before \S+Z\n/);
  });

  test("changes nothing, and refuses in one sentence", async () => {
    const opened = Date.now() - HOUR;
    await openAccount(books, "h-bad", { at: opened });
    const before = await everyTable(books);
    const refusals: [args: string, code: number, sentence: string][] = [
      [`h-nobody --at ${at(opened)}`, 1, "there is no account h-nobody"],
      [
        `h-bad --at ${at(opened - 1)}`,
        1,
        `account h-bad did not exist at ${at(opened - 1)}; it was created ${at(opened)}`,
      ],
      [
        "h-bad --at 9000-01-01T00:00:00Z",
        2,
        "--at 9000-01-01T00:00:00.000Z is in the future; name a past instant",
      ],
      [
        "h-bad --at yesterday",
        2,
        '--at must be an instant like 2026-09-01T00:00:00Z, not "yesterday"',
      ],
      ["h-bad", 2, "required option '--at <instant>' not specified"],
    ];
    for (const [args, code, sentence] of refusals) {
      const ran = await run(`account history ${args}`);
      expect(ran).toEqual({ code, stdout: "", stderr: `${sentence}\n` });
    }
    await run(`account history h-bad --at ${at(opened)}`);
    expect(await everyTable(books)).toEqual(before);
  });
});
