import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Books } from "../../support/books/books.ts";
import { dropMonths, noon, openOldBooks } from "../../support/books/old-usage.ts";
import { drawdown, type Ran, words } from "../../support/cli/drawdown.ts";
import { tempFolder } from "../../support/temp-folder.ts";

/** What the command line answers about usage of which some months are dropped: the same, or what is missing. */
const PAST = "2025-09-10T13:00:00.000Z";

let books: Books;
/** The answers before anything was dropped. */
const before = new Map<string, string>();

const run = (args: string): Promise<Ran> =>
  drawdown(words(args), { env: { DATABASE_URL: books.url } });

const KEPT = [
  "account history acme --at 2025-10-01T00:00:00Z --json",
  "account history acme --at 2025-11-01T00:00:00Z --json",
  "account history bolt --at 2025-10-01T00:00:00Z --json",
  "explain event 2025-11-10/12 --account acme --json",
  "explain event 2025-10-10/10 --account acme --json",
  "lots acme --json",
  "entries acme --json",
];

beforeAll(async () => {
  books = await openOldBooks();
  for (const command of KEPT) before.set(command, (await run(command)).stdout);
  await dropMonths(books.database, noon("2025-10-20"));
}, 60_000);

afterAll(() => books?.close());

test.each(KEPT)("%s answers as before", async (command) => {
  const { code, stdout } = await run(command);
  expect([code, stdout]).toEqual([0, before.get(command)]);
});

test("an event that is not found may be past retention", async () => {
  const ran = await run("explain event 2025-08-10/1 --account acme");
  expect([ran.code, ran.stderr.trim()]).toEqual([
    1,
    `no event 2025-08-10/1 has been metered since ${PAST}; events from before are past retention (drawdown dead-letters list)`,
  ]);
});

test("a lot says what it paid of usage past retention, late usage too", async () => {
  const ending = JSON.parse((await run("explain lot acme acme-lot-1 --json")).stdout);
  expect(ending).toMatchObject({
    used: "4500",
    past_retention: "4001",
    by_meter: [{ meter: "call", events: 1, credits: "499" }],
    usage: [{ event_id: "2025-10-10/10", paid: "499" }],
  });
  const { stdout } = await run("explain lot acme acme-lot-2");
  expect(stdout).toMatch(/\nusage past retention +0\.003003 credits; its events are dropped\n/);
  expect(stdout).toMatch(/\ncall +0\.003501 credits for 2 events\n/);
});

test("a past instant that depends on dropped usage is refused", async () => {
  const ran = await run("account history acme --at 2025-09-01T00:00:00Z");
  expect([ran.code, ran.stderr]).toEqual([
    1,
    expect.stringContaining(`usage of account acme from before ${PAST} is past retention`),
  ]);
});

describe("what-if", () => {
  const whatIf = async (from: string, more = "") => {
    const file = join(await tempFolder(), "other.yaml");
    await writeFile(
      file,
      "meters: { call: { credits: 1, per: 1 }, byte: { credits: 1, per: 1 } }\n",
    );
    return run(`what-if --catalogue ${file} --from ${from} --to 2025-12-01T00:00:00Z ${more}`);
  };

  test("is refused over dropped usage", async () => {
    const ran = await whatIf("2025-09-01T00:00:00Z", "--account bolt");
    expect([ran.code, ran.stderr]).toEqual([
      1,
      expect.stringContaining(`single events from before ${PAST} are past retention`),
    ]);
  });

  test("compares what is kept", async () => {
    const ran = await whatIf(PAST, "--account acme --json");
    expect(JSON.parse(ran.stdout).totals.meters).toMatchObject([
      { meter: "byte", count: 2 },
      { meter: "call", count: 1 },
    ]);
  });
});
