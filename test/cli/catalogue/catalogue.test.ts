import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { parseCatalogue } from "../../../shared/catalogue/parse-catalogue.ts";
import type { RequestedCatalogue } from "../../../shared/core/offer/requested-catalogue.ts";
import { applyCatalogue } from "../../../shared/ledger/catalogue/apply.ts";
import { readCatalogue } from "../../../shared/ledger/catalogue/catalogue.ts";
import { listRates } from "../../../shared/ledger/catalogue/rates.ts";
import { type Books, openBooks } from "../../support/books/books.ts";
import { drawdown, type Ran, words } from "../../support/cli/drawdown.ts";

let books: Books;
let folder: string;

beforeAll(async () => {
  books = await openBooks();
  folder = await mkdtemp(join(tmpdir(), "catalogue-"));
});
afterAll(async () => {
  await books.close();
  await rm(folder, { recursive: true, force: true });
});

const run = (line: string): Promise<Ran> =>
  drawdown(words(line), { env: { DATABASE_URL: books.url } });

async function apply(text: string, options = ""): Promise<Ran> {
  await writeFile(join(folder, "catalogue.yaml"), text);
  const { code, stdout, stderr } = await run(
    `catalogue apply ${join(folder, "catalogue.yaml")} ${options}`,
  );
  const inFolder = (said: string) => said.replaceAll(`${folder}/`, "");
  return { code, stdout: inFolder(stdout), stderr: inFolder(stderr) };
}

/** The changes that the command reports: "added plan pro". */
async function applied(text: string): Promise<string[]> {
  const { code, stdout, stderr } = await apply(text, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const changes: { change: string; what: string; id: string }[] = JSON.parse(stdout).changes;
  return changes.map(({ change, what, id }) => `${change} ${what} ${id}`);
}

async function everything() {
  return {
    catalogue: await readCatalogue(books.database),
    rates: await listRates(books.database),
  };
}

function ask(text: string): RequestedCatalogue {
  const parsed = parseCatalogue(Buffer.from(text));
  if (parsed.kind === "unreadable") throw new Error(JSON.stringify(parsed.problems));
  return parsed.asked;
}

const MINUTE = 60_000;

test("the example of the help runs line by line, with the sample catalogue", async () => {
  const own = await openBooks();
  onTestFinished(() => own.close());
  const { stdout } = await run("--help");
  const lines = [...stdout.matchAll(/^ {2}\$ drawdown (.*)$/gm)].map(([, line = ""]) => line);
  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) {
    const typed = line.replace("catalogue.yaml", "infra/demo/catalogue.yaml");
    const ran = await drawdown(words(typed), { env: { DATABASE_URL: own.url } });
    expect({ line, code: ran.code, stderr: ran.stderr }).toEqual({ line, code: 0, stderr: "" });
  }
});

describe("a catalogue file", () => {
  const FILE = `meters:
  cat.calls: { from: 2026-01-01T00:00:00Z, credits: 0.5, per: 1 }
plans:
  cat-pro:
    credits: 1000
    life: 3 months
    prices:
      USD: { monthly: 29, yearly: 290 }
      JPY: { monthly: 4000, yearly: 40000 }
add_ons:
  cat-voice:
    - { from: 2026-01-01T00:00:00Z, credits: 20 }
    - { from: 2100-01-01T00:00:00Z, credits: 25 }
credit_prices:
  EUR: { from: 2026-01-01T00:00:00Z, credits: 50, life: never }
`;
  const changed = FILE.replace("credits: 1000", "credits: 1200").replace(
    "monthly: 29,",
    "monthly: 35,",
  );

  test("is shown by a dry run, which changes nothing", async () => {
    const before = await everything();
    const { code, stdout } = await apply(FILE, "--dry-run");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^added +plan +cat-pro +\S+Z +1000 credits a month, life 3 months; JPY 4000 monthly, 40000 yearly; USD 29\.00 monthly, 290\.00 yearly$/m,
    );
    expect(stdout).toMatch(/To be applied: 5 added, .* Nothing was changed\.\n$/);
    expect(JSON.parse((await apply(FILE, "--dry-run --json")).stdout).outcome).toBe("would_apply");
    expect(await everything()).toEqual(before);
  });

  test("is applied as a whole, valid immediately", async () => {
    const before = Date.now();
    expect(await applied(FILE)).toEqual([
      "added meter cat.calls",
      "added plan cat-pro",
      "added add_on cat-voice",
      "added add_on cat-voice",
      "added credit_price EUR",
    ]);
    const { catalogue, rates } = await everything();
    const [pro] = catalogue.plans.get("cat-pro") ?? [];
    expect(pro).toEqual({
      planId: "cat-pro",
      validFrom: expect.any(Number),
      credits: 1_000_000_000n,
      life: { kind: "months", months: 3 },
      firstCredits: "when_paid",
      firstMonth: "whole",
      prices: [
        { currency: "JPY", monthly: 4000n, yearly: 40000n },
        { currency: "USD", monthly: 2900n, yearly: 29000n },
      ],
      setBy: expect.any(String),
    });
    expect(pro?.validFrom).toBeGreaterThanOrEqual(before);
    expect(pro?.validFrom).toBeLessThanOrEqual(Date.now());
    const setBy = expect.any(String);
    expect(catalogue.addOns.get("cat-voice")).toEqual([
      { addOnId: "cat-voice", validFrom: Date.UTC(2026, 0), credits: 20_000_000n, setBy },
      { addOnId: "cat-voice", validFrom: Date.UTC(2100, 0), credits: 25_000_000n, setBy },
    ]);
    expect(catalogue.creditPrices.get("EUR")).toEqual([
      {
        currency: "EUR",
        validFrom: Date.UTC(2026, 0),
        credits: 50_000_000n,
        life: { kind: "never" },
        setBy,
      },
    ]);
    expect(rates).toEqual([
      { meter: "cat.calls", validFrom: Date.UTC(2026, 0), credits: 500_000n, per: 1n, setBy },
    ]);
  });

  test("changes nothing when it is applied again", async () => {
    const before = await everything();
    const { code, stdout } = await apply(FILE);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Everything in the file already exists; nothing was changed\.\n$/);
    expect(JSON.parse((await apply(FILE, "--json")).stdout).outcome).toBe("unchanged");
    expect(await everything()).toEqual(before);
  });

  test("with other terms adds one version, valid as soon as possible", async () => {
    const before = await everything();
    const { code, stdout } = await apply(changed);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^new version +plan .* 1200 credits .*USD 35\.00 .*\(was: 1000 credits .*\)$/m,
    );
    const { catalogue } = await everything();
    const [first, second, ...others] = catalogue.plans.get("cat-pro") ?? [];
    expect(first).toEqual(before.catalogue.plans.get("cat-pro")?.[0]);
    expect(others).toEqual([]);
    const from = second?.validFrom ?? 0;
    expect(from).toBeGreaterThan(Date.now());
    expect(from).toBeLessThanOrEqual(Date.now() + MINUTE);
    expect((await apply(changed)).stdout).toContain("nothing was changed.");
    expect((await everything()).catalogue).toEqual(catalogue);
  });

  test("changes a meter's price only from an instant without metered events on", async () => {
    await apply("meters:\n  cat.calls: { credits: 0.75, per: 1 }");
    const [, second] = (await everything()).rates;
    expect(second?.validFrom).toBeGreaterThan(Date.now() + 5 * MINUTE);
    expect(second?.validFrom).toBeLessThanOrEqual(Date.now() + 6 * MINUTE);
    const soon = new Date(Date.now() + 5 * MINUTE).toISOString();
    const early = await apply(`meters:\n  cat.calls: { from: ${soon}, credits: 1, per: 1 }`);
    expect(early.code).toBe(1);
    expect(early.stdout).toMatch(
      /^catalogue\.yaml:2: meters\.cat\.calls: it exists and cannot change before /,
    );
  });

  test("shows everything, with all versions", async () => {
    const { stdout } = await run("catalogue show");
    expect(stdout).toMatch(
      /^PLAN +VALID FROM +STATE +CREDITS +LIFE +FIRST CREDITS +FIRST MONTH +PRICES$/m,
    );
    expect(stdout).toMatch(
      /^cat-pro +\S+Z +valid +1000 +3 months +when_paid +whole +JPY 4000 monthly, .* USD 29\.00/m,
    );
    expect(stdout).toMatch(/^cat-pro +\S+Z +future +1200 +3 months /m);
    expect(stdout).toMatch(/^cat-voice +2026-01-01T00:00:00\.000Z +valid +20$/m);
    expect(stdout).toMatch(/^cat-voice +2100-01-01T00:00:00\.000Z +future +25$/m);
    expect(stdout).toMatch(/^EUR +2026-01-01T00:00:00\.000Z +valid +50 +never$/m);
    expect(stdout).toMatch(/^cat\.calls +2026-01-01T00:00:00\.000Z +valid +0\.5 +1$/m);
    const shown = JSON.parse((await run("catalogue show --json")).stdout);
    expect(shown.plans[0]).toEqual({
      plan_id: "cat-pro",
      valid_from: expect.stringMatching(/Z$/),
      credits: "1000000000",
      life: { kind: "months", months: 3 },
      first_credits: "when_paid",
      first_month: "whole",
      prices: [
        { currency: "JPY", monthly: "4000", yearly: "40000" },
        { currency: "USD", monthly: "2900", yearly: "29000" },
      ],
      set_by: expect.any(String),
    });
  });
});

test("names and units are set and shown, and change no price", async () => {
  const own = await openBooks();
  onTestFinished(() => own.close());
  const file = join(folder, "named.yaml");
  const runOn = (line: string) => drawdown(words(line), { env: { DATABASE_URL: own.url } });
  const calls =
    "meters:\n  calls: { credits: 1, per: 1, name: NAME, unit: { one: call, many: calls } }";
  const state = async (name: string, options = "") => {
    await writeFile(file, calls.replace("NAME", name));
    const { stdout } = await runOn(`catalogue apply ${file} ${options}`);
    return stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.trimEnd().replaceAll(/ +/g, " "));
  };
  await state("Calls");
  const rates = await listRates(own.database);
  const changes = [
    expect.stringMatching(/^unchanged meter calls \S+Z 1 credits a unit$/),
    "named meter calls name שיחות <b>, unit call/calls (was: name Calls, unit call/calls)",
    "",
  ];
  expect((await state('"שיחות <b>"', "--dry-run")).slice(1)).toEqual([
    ...changes,
    "To be applied: 0 added, 0 updated, 1 unchanged, 1 named. Nothing was changed.",
  ]);
  expect((await state('"שיחות <b>"')).slice(1)).toEqual([
    ...changes,
    "Applied: 0 added, 0 updated, 1 unchanged, 1 named.",
  ]);
  expect((await state('"שיחות <b>"')).at(-1)).toContain("nothing was changed.");
  expect(await listRates(own.database)).toEqual(rates);
  const { stdout } = await runOn("catalogue show");
  expect(stdout).toMatch(/^NAMED +ID +NAME +UNIT\nmeter +calls +שיחות <b> +call\/calls$/m);
});

test("dimensions and their values are named, and named again", async () => {
  const own = await openBooks();
  onTestFinished(() => own.close());
  const file = join(folder, "dimensions.yaml");
  const runOn = (line: string) => drawdown(words(line), { env: { DATABASE_URL: own.url } });
  const apply = async (model: string) => {
    await writeFile(
      file,
      `dimensions: { model: { name: Model, values: { gpt-5: ${model}, gpt-4: GPT-4 } } }`,
    );
    const { stdout } = await runOn(`catalogue apply ${file}`);
    return stdout.trimEnd().split("\n").at(-1);
  };
  expect(await apply("GPT-5")).toBe("Applied: 0 added, 0 updated, 0 unchanged, 3 named.");
  expect(await apply("GPT-5")).toContain("nothing was changed.");
  expect(await apply("GPT-5 new")).toBe("Applied: 0 added, 0 updated, 0 unchanged, 1 named.");
  const { stdout } = await runOn("catalogue show");
  expect(stdout.split("\n").map((line) => line.trimEnd().replaceAll(/ +/g, " "))).toEqual([
    "NAMED ID NAME UNIT",
    "dimension model Model",
    "value model=gpt-4 GPT-4",
    "value model=gpt-5 GPT-5 new",
    "",
  ]);
});

describe("a file that cannot be applied changes nothing", () => {
  const NEW = "add_ons:\n  cat-never: { credits: 1 }\n";

  test.each([
    [
      "with typos, all of them named",
      `${NEW}plans:\n  cat-x:\n    credit: 5\n    prices: { EUR: { monthly: 1.005, yearly: 2 } }\n`,
      [
        "catalogue.yaml:4: plans.cat-x.credits: is missing",
        "catalogue.yaml:5: plans.cat-x.credit: there is no such field; did you mean credits?",
        "catalogue.yaml:6: plans.cat-x.prices.EUR.monthly: 1.005 has more decimals than the 2 of EUR",
      ],
    ],
    [
      "that would change the past",
      `${NEW}  cat-voice: { from: 2026-06-01T00:00:00Z, credits: 1 }\n`,
      [
        expect.stringMatching(
          /^catalogue\.yaml:3: add_ons\.cat-voice: it exists and cannot change before \S+Z; state a later from$/,
        ),
      ],
    ],
    [
      "that says of an instant what does not stand",
      `${NEW}  cat-voice:\n    - { from: 2026-01-01T00:00:00Z, credits: 20 }\n    - { from: 2100-01-01T00:00:00Z, credits: 26 }\n`,
      [
        "catalogue.yaml:5: add_ons.cat-voice[1]: other terms begin at that instant, and what exists never changes; state a later from",
      ],
    ],
    [
      "that says plainly what is planned otherwise",
      `${NEW}  cat-voice: { credits: 20 }\n`,
      [
        "catalogue.yaml:3: add_ons.cat-voice: other terms begin at 2100-01-01T00:00:00.000Z; state both as versions, each with its from",
      ],
    ],
    [
      "that names a control character",
      `${NEW}"\\e[2J": {}\n`,
      [
        expect.stringMatching(
          /^catalogue\.yaml:3: \\u\{1b\}\[2J: there is no such field; there are /,
        ),
      ],
    ],
  ])("%s", async (_, text, problems) => {
    const before = await everything();
    const { code, stdout, stderr } = await apply(text);
    expect(stdout.trimEnd().split("\n")).toEqual(problems);
    const found = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `${found} in catalogue.yaml; nothing was applied\n`,
    });
    expect(await everything()).toEqual(before);
    const { outcome, problems: listed } = JSON.parse((await apply(text, "--json")).stdout);
    expect([outcome, listed.length]).toEqual(["refused", problems.length]);
  });

  test("that is too large, missing, or a directory", async () => {
    expect((await apply("#".repeat(2 << 20))).stdout).toBe(
      "catalogue.yaml:1: the file has more than 1048576 bytes; split it\n",
    );
    expect(await run("catalogue apply /nowhere.yaml")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^cannot read \/nowhere\.yaml: ENOENT/),
    });
    expect(await run(`catalogue apply ${folder}`)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/: EISDIR/),
    });
  });
});

describe("what feeds a meter", () => {
  const fed = (value: string) =>
    `meters:\n  cat.fed: { credits: 1, per: 1, feed: { event_type: cat.prompt, value: ${value}, dimensions: { "a \\"b": $.a } } }`;

  test("is applied and shown, and changes as its price does", async () => {
    expect(await applied(fed("$.tokens"))).toEqual(["added meter cat.fed"]);
    expect(await applied(fed("$.tokens"))).toEqual(["unchanged meter cat.fed"]);
    const shown = JSON.parse((await run("catalogue show --json")).stdout);
    expect(shown.meters).toContainEqual({
      meter: "cat.fed",
      valid_from: expect.any(String),
      credits: "1000000",
      per: "1",
      dimensions: [],
      rates: [],
      feed: { event_type: "cat.prompt", value: "$.tokens", dimensions: { 'a "b': "$.a" } },
      set_by: expect.any(String),
    });
    const { stdout } = await apply(fed("$.usage.tokens"));
    expect(stdout).toMatch(
      /^new version +meter +cat\.fed .*fed by cat\.prompt: \$\.usage\.tokens, a "b \$\.a \(was: .*: \$\.tokens, /m,
    );
    expect((await run("catalogue show")).stdout).toMatch(
      /^cat\.fed .* cat\.prompt: \$\.usage\.tokens, a "b \$\.a$/m,
    );
  });

  test("keeps feeding it when only the price changes", async () => {
    const file = "meters:\n  cat.fed2: { credits: 1, per: 1, feed: { event_type: cat.prompt } }";
    expect(await applied(file)).toEqual(["added meter cat.fed2"]);
    expect(await run("rate set cat.fed2 2 --per 1")).toMatchObject({ code: 0 });
    const rates = (await everything()).rates.filter(({ meter }) => meter === "cat.fed2");
    const feed = { eventType: "cat.prompt", value: null, dimensions: new Map() };
    expect(rates).toMatchObject([
      { credits: 1_000_000n, feed },
      { credits: 2_000_000n, feed },
    ]);
  });
});

describe("in the books", () => {
  test("when two apply the same file concurrently, only one changes something", async () => {
    const asked = ask(
      "meters:\n  cat.race: { credits: 1, per: 1 }\nadd_ons:\n  cat-race: { credits: 1 }",
    );
    const decisions = await Promise.all(
      Array.from({ length: 4 }, () => applyCatalogue(books.database, asked, Date.now(), 0)),
    );
    const kinds = decisions.map((decision) =>
      decision.kind === "changes" ? decision.changes.addOns[0]?.kind : decision.kind,
    );
    expect(kinds.sort()).toEqual(["added", "unchanged", "unchanged", "unchanged"]);
    const { catalogue, rates } = await everything();
    expect(catalogue.addOns.get("cat-race")).toHaveLength(1);
    expect(rates.filter(({ meter }) => meter === "cat.race")).toHaveLength(1);
  });

  test("the most versions that a file may have are applied together", async () => {
    const items = Array.from({ length: 10_000 }, (_, at) => `  cat-${at} é: { credits: 1 }\n`);
    const asked = ask(`add_ons:\n${items.join("")}`);
    await applyCatalogue(books.database, asked, Date.now(), 0);
    const { catalogue } = await everything();
    expect(catalogue.addOns.get("cat-9999 é")).toMatchObject([{ credits: 1_000_000n }]);
  });
});
