/** `drawdown rates import`: list prices become rates, shown before they are applied, all of them or none. */
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isTable, type MeterVersion } from "../../../shared/core/offer/rate-card.ts";
import { listRates, listRatesWithOrigins } from "../../../shared/ledger/catalogue/rates.ts";
import { type Books, openAccount, openBooks } from "../../support/books/books.ts";
import { drawdown, drawdownProcess, type Ran, words } from "../../support/cli/drawdown.ts";
import { meterEvents } from "../../support/cli/meter-events.ts";
import { openTerminal } from "../../support/cli/terminal.ts";

const MINUTE = 60_000;
const HEADER = "provider,model,kind,price,per,currency";
const PRICES = `${HEADER}
openai,gpt-5,input,1.25,1000000,USD
openai,gpt-5,output,10,1000000,USD
openai,gpt-5-mini,input,0.25,1000000,USD
anthropic,sonnet,input,3,1000000,USD
`;
const TERMS = ["--markup", "1.3", "--per-credit", "USD 0.01"];

let books: Books;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "import-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  books = await openBooks();
  return () => books.close();
});

const env = () => ({ DATABASE_URL: books.url });
const run = (line: string): Promise<Ran> => drawdown(words(line), { env: env() });

async function importText(
  text: string | Uint8Array,
  options: readonly string[] = [...TERMS, "--yes"],
  name = "prices.csv",
): Promise<Ran> {
  const file = join(folder, name);
  await writeFile(file, text);
  const ran = await drawdown(["rates", "import", file, ...options], { env: env() });
  const inFolder = (said: string) => said.replaceAll(`${folder}/`, "");
  return { ...ran, stdout: inFolder(ran.stdout), stderr: inFolder(ran.stderr) };
}

async function imported(text: string, options: readonly string[] = [...TERMS, "--yes"]) {
  const { code, stdout, stderr } = await importText(text, [...options, "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

/** The rates of a meter's versions, oldest first: "openai gpt-5 162500000/1000000". */
async function ratesOf(meter: string): Promise<string[][]> {
  return (await listRates(books.database, meter)).map(ratesIn);
}

function ratesIn(version: MeterVersion): string[] {
  if (!isTable(version)) return [`${version.credits}/${version.per}`];
  return version.rates.map(({ stated: { patterns, credits, per } }) => {
    return `${patterns.map((pattern) => pattern ?? "any").join(" ")} ${credits}/${per}`;
  });
}

const lines = ({ stdout }: Pick<Ran, "stdout">) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.replaceAll(/ +/g, " ").trim());

test("a dry run shows what would change, and changes nothing", async () => {
  const ran = await importText(PRICES, [...TERMS, "--dry-run"]);
  expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code: 0, stderr: "" });
  expect(lines(ran)).toEqual([
    "METER VERSION VALID FROM ADDED DEARER CHEAPER GONE UNCHANGED",
    expect.stringMatching(/^input added \S+Z 3 0 0 0 0$/),
    expect.stringMatching(/^output added \S+Z 1 0 0 0 0$/),
    "",
    "CHANGE METER PROVIDER MODEL CREDITS BEFORE CREDITS AFTER PER BY",
    "added input openai gpt-5 162.5 1000000",
    "added input openai gpt-5-mini 32.5 1000000",
    "added input anthropic sonnet 390 1000000",
    "added output openai gpt-5 1300 1000000",
    "",
    "To be imported: 4 added, 0 dearer, 0 cheaper, 0 gone. Nothing was changed.",
  ]);
  expect(await listRates(books.database)).toEqual([]);
});

describe("an import", () => {
  test("shows the changes before it applies them, and keeps what the rates were made from", async () => {
    const before = Date.now();
    const { code, stdout, stderr } = await importText(PRICES);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^added +input +openai +gpt-5 +162\.5 +1000000$/m);
    expect(stdout).toMatch(/Imported: 4 added, 0 dearer, 0 cheaper, 0 gone\.\n$/);
    const [input, output, ...others] = await listRatesWithOrigins(books.database);
    expect(others).toEqual([]);
    expect(output?.meter).toBe("output");
    expect(input?.validFrom).toBeGreaterThanOrEqual(before);
    expect(input?.validFrom).toBeLessThanOrEqual(Date.now());
    if (input === undefined || !isTable(input)) throw new Error("no rates by dimensions");
    expect(input.dimensions).toEqual(["provider", "model"]);
    expect(input.rates[0]?.stated).toEqual({
      patterns: ["openai", "gpt-5"],
      credits: 162_500_000n,
      per: 1_000_000n,
      origin: {
        listPrice: "1.25",
        listPer: 1_000_000n,
        markup: "1.3",
        source: {
          importedAt: expect.any(Number),
          file: "prices.csv",
          format: "csv",
          sha256: createHash("sha256").update(PRICES).digest("hex"),
          currency: "USD",
          perCredit: "0.01",
          markups: ["1.3"],
        },
      },
    });
  });

  test("of the same file with the same terms changes nothing, and says so", async () => {
    await importText(PRICES);
    const before = await listRatesWithOrigins(books.database);
    const { code, stdout } = await importText(PRICES, undefined, "renamed.csv");
    expect(code).toBe(0);
    expect(stdout).toMatch(/These are the rates already; nothing was changed\.\n$/);
    expect(stdout).toMatch(/^input +unchanged +\S+Z +0 +0 +0 +0 +3$/m);
    expect(await imported(PRICES)).toMatchObject({ outcome: "unchanged", changes: [] });
    expect(await listRatesWithOrigins(books.database)).toEqual(before);
  });

  test("of another file adds a version six minutes ahead: added, dearer, cheaper and gone", async () => {
    await importText(PRICES);
    const changed = PRICES.replace("openai,gpt-5,input,1.25", "openai,gpt-5,input,1.5")
      .replace("sonnet,input,3,", "sonnet,input,2.99,")
      .replace("gpt-5-mini,input,0.25", "gpt-6,input,7e-7")
      .replace("gpt-6,input,7e-7,1000000", "gpt-6,input,7e-7,1");
    const ran = await importText(changed);
    expect(lines(ran)).toEqual([
      "METER VERSION VALID FROM ADDED DEARER CHEAPER GONE UNCHANGED",
      expect.stringMatching(/^input new version \S+Z 1 1 1 1 0$/),
      expect.stringMatching(/^output unchanged \S+Z 0 0 0 0 1$/),
      "",
      "CHANGE METER PROVIDER MODEL CREDITS BEFORE CREDITS AFTER PER BY",
      "added input openai gpt-6 0.000091 1",
      "dearer input openai gpt-5 162.5 195 1000000 +20.0 %",
      "cheaper input anthropic sonnet 390 388.7 1000000 -0.3 %",
      "gone input openai gpt-5-mini 32.5 1000000",
      "",
      "Imported: 1 added, 1 dearer, 1 cheaper, 1 gone.",
    ]);
    expect(await ratesOf("input")).toEqual([
      [
        "openai gpt-5 162500000/1000000",
        "openai gpt-5-mini 32500000/1000000",
        "anthropic sonnet 390000000/1000000",
      ],
      ["openai gpt-5 195000000/1000000", "openai gpt-6 91/1", "anthropic sonnet 388700000/1000000"],
    ]);
    expect(await ratesOf("output")).toHaveLength(1);
    const [, second] = await listRates(books.database, "input");
    expect(second?.validFrom).toBeGreaterThan(Date.now() + 5 * MINUTE);
    expect(second?.validFrom).toBeLessThanOrEqual(Date.now() + 6 * MINUTE);
  });

  test("--json has every change, with its list price and markup", async () => {
    await importText(PRICES);
    const dearer = await imported(PRICES, [...TERMS, "--markup", "openai/*-mini=1.4", "--yes"]);
    expect(dearer).toMatchObject({ outcome: "applied", file: "prices.csv", format: "csv" });
    expect(dearer.meters).toEqual([
      expect.objectContaining({ meter: "input", change: "new_version", dearer: 1, unchanged: 2 }),
      expect.objectContaining({ meter: "output", change: "unchanged", unchanged: 1 }),
    ]);
    expect(dearer.changes).toEqual([
      {
        change: "dearer",
        meter: "input",
        provider: "openai",
        model: "gpt-5-mini",
        band: null,
        before: { credits: "32500000", per: "1000000" },
        after: { credits: "35000000", per: "1000000" },
        list_price: { price: "0.25", currency: "USD", per: "1000000" },
        markup: "1.4",
      },
    ]);
  });

  test("of what patterns select leaves the rates of all others as they are", async () => {
    await importText(PRICES);
    const only = ["--markup", "2", "--per-credit", "USD 0.01", "--yes", "--only", "openai/*"];
    const dearer = await imported(PRICES.replace(/^.*mini.*\n/m, ""), only);
    expect(dearer.meters).toEqual([
      expect.objectContaining({ meter: "input", dearer: 1, gone: 1, kept: 1 }),
      expect.objectContaining({ meter: "output", dearer: 1, kept: 0 }),
    ]);
    expect((await ratesOf("input"))[1]).toEqual([
      "anthropic sonnet 390000000/1000000",
      "openai gpt-5 250000000/1000000",
    ]);
    const [, second] = await listRatesWithOrigins(books.database, "input");
    if (second === undefined || !isTable(second)) throw new Error("missing");
    expect(second.rates.map(({ stated }) => stated.origin)).toMatchObject([
      { markup: "1.3", source: { importedAt: expect.any(Number), markups: ["1.3"] } },
      { markup: "2", source: { importedAt: expect.any(Number), markups: ["2"] } },
    ]);
    expect(await imported(PRICES.replace(/^.*mini.*\n/m, ""), only)).toMatchObject({
      outcome: "unchanged",
    });
  });

  test("that only adds models completes the version that there is, for its waiting usage too", async () => {
    await importText(PRICES);
    const more = `${PRICES}openai,gpt-6,input,2,1000000,USD\n`;
    const ran = await importText(more, undefined, "more.csv");
    expect(lines(ran)[1]).toMatch(/^input completed \S+Z 1 0 0 0 3$/);
    const versions = await listRatesWithOrigins(books.database, "input");
    expect(versions).toHaveLength(1);
    const [version] = versions;
    if (version === undefined || !isTable(version)) throw new Error("no rates by dimensions");
    expect(version.rates.map(({ stated }) => stated.origin?.source.file)).toEqual([
      ...["prices.csv", "prices.csv", "prices.csv", "more.csv"],
    ]);
    expect(await imported(more)).toMatchObject({ outcome: "unchanged" });
  });

  test("keeps a meter's feed and, beside the patterns, its price for anything", async () => {
    const file = join(folder, "catalogue.yaml");
    await writeFile(file, "meters:\n  input: { credits: 2, per: 1, feed: { event_type: prompt } }");
    expect(await run(`catalogue apply ${file}`)).toMatchObject({ code: 0 });
    await importText(PRICES, [...TERMS, "--yes", "--only", "openai/gpt-5"]);
    expect((await ratesOf("input"))[1]).toEqual([
      "any any 2000000/1",
      "openai gpt-5 162500000/1000000",
    ]);
    await importText(PRICES);
    const versions = await listRates(books.database, "input");
    expect(versions.map(({ feed }) => feed?.eventType)).toEqual(["prompt", "prompt", "prompt"]);
    expect((await ratesOf("input"))[2]).not.toContain("any any 2000000/1");
  });

  test("begins at the instant that --from names, which its rules allow", async () => {
    const from = ["--from", "2026-01-01T00:00:00Z"];
    await importText(PRICES, [...TERMS, "--yes", ...from]);
    const [input] = await listRates(books.database, "input");
    expect(input?.validFrom).toBe(Date.UTC(2026, 0));
    expect(await imported(PRICES, [...TERMS, "--yes", ...from])).toMatchObject({
      outcome: "unchanged",
    });
    const dearer = ["--markup", "2", "--per-credit", "USD 0.01", "--yes"];
    const there = await importText(PRICES, [...dearer, ...from]);
    expect(there.code).toBe(1);
    expect(lines(there)[0]).toBe(
      "prices.csv:2: input: other terms begin at that instant, and what exists never changes; state a later from",
    );
    const soon = new Date(Date.now() + MINUTE).toISOString();
    const early = await importText(PRICES, [...dearer, "--from", soon]);
    expect(lines(early)).toEqual([
      expect.stringMatching(/^prices\.csv:2: input: it exists and cannot change before \S+Z;/),
      expect.stringMatching(/^prices\.csv:3: output: it exists and cannot change before \S+Z;/),
    ]);
    await importText(PRICES, [...dearer, "--from", "2100-01-01T00:00:00Z"]);
    const planned = await importText(PRICES, [...TERMS, "--yes"]);
    expect(lines(planned)[0]).toBe(
      "prices.csv:2: input: other rates begin at 2100-01-01T00:00:00.000Z; state a --from after that",
    );
    expect(await ratesOf("input")).toHaveLength(2);
  });

  test("is replaced by a catalogue file as any version", async () => {
    await importText(PRICES);
    const file = join(folder, "catalogue.yaml");
    await writeFile(file, "meters:\n  input: { credits: 2, per: 1 }");
    expect(await run(`catalogue apply ${file}`)).toMatchObject({ code: 0 });
    expect((await ratesOf("input"))[1]).toEqual(["2000000/1"]);
  });

  test("two at once add one version", async () => {
    const file = join(folder, "prices.csv");
    await writeFile(file, PRICES);
    const args = ["rates", "import", file, ...TERMS, "--yes", "--json"];
    const ran = await Promise.all([1, 2, 3].map(() => drawdownProcess(args, { env: env() })));
    const applied = ran.filter(({ stdout }) => JSON.parse(stdout).outcome === "applied");
    expect(applied).toHaveLength(1);
    expect(await ratesOf("input")).toHaveLength(1);
  });

  test("of many prices is summarised by meter, with the largest changes", async () => {
    const many = (price: (at: number) => number) =>
      `${HEADER}\n${Array.from({ length: 60 }, (_, at) => `p,m${at},input,${price(at)},1,USD`).join("\n")}`;
    await importText(many(() => 1));
    const ran = await importText(many((at) => 1 + at / 100));
    const shown = lines(ran);
    expect(shown[1]).toMatch(/^input new version \S+Z 0 59 0 0 1$/);
    expect(shown[3]).toBe("The largest changes; --json has the 39 others, too:");
    expect(shown[6]).toBe("dearer input p m59 130 206.7 1 +59.0 %");
    expect(shown.filter((line) => line.startsWith("dearer"))).toHaveLength(20);
    expect(shown.at(-1)).toBe("Imported: 0 added, 59 dearer, 0 cheaper, 0 gone.");
  });
});

describe("bands", () => {
  const LITELLM = `{
  "swift": {
    "litellm_provider": "acme",
    "input_cost_per_token": 3e-06,
    "input_cost_per_token_above_200k_tokens": 6e-06
  },
  "film": {
    "litellm_provider": "acme",
    "input_cost_per_video_per_second": 0.0005,
    "input_cost_per_video_per_second_above_8s_interval": 0.001
  }
}`;
  const MODELS_DEV = (price: number) => `{
  "acme": {
    "models": {
      "swift": {
        "cost": { "input": 3, "tiers": [{ "input": ${price}, "tier": { "type": "context", "size": 200001 } }] }
      }
    }
  }
}`;

  test("of LiteLLM's file are of the dimension context_tokens, or of the quantity", async () => {
    await openAccount(books, "acme", { lots: [{ credits: 1_000_000_000n }] });
    const ran = await importText(LITELLM, undefined, "prices.json");
    expect(ran.stderr).toMatch(/^added +input_tokens +acme +swift +context 200001 +780 +1000000$/m);
    expect(ran.stderr).toMatch(/^added +input_video_seconds +acme +film +quantity 9 +0\.13 +1$/m);
    const swift = { provider: "acme", model: "swift" };
    const film = { provider: "acme", model: "film" };
    const of = { accountId: "acme", occurredAt: Date.now() + 1_000 };
    const tokens = { ...of, meter: "input_tokens", quantity: 1_000n };
    const seconds = { ...of, meter: "input_video_seconds", dimensions: film };
    await meterEvents(books, [
      { ...tokens, eventId: "short", dimensions: { ...swift, context_tokens: "200000" } },
      { ...tokens, eventId: "long", dimensions: { ...swift, context_tokens: "200001" } },
      { ...tokens, eventId: "unsaid", dimensions: swift },
      { ...seconds, eventId: "clip", quantity: 8n },
      { ...seconds, eventId: "film", quantity: 9n },
    ]);
    const { rows } = await books.database.query("SELECT event_id, credits FROM usage_record");
    expect(Object.fromEntries(rows.map(({ event_id, credits }) => [event_id, credits]))).toEqual({
      short: 390_000n,
      long: 780_000n,
      unsaid: 390_000n,
      clip: 520_000n,
      film: 1_170_000n,
    });
    expect(
      JSON.parse((await run("explain event long --account acme --json")).stdout).rate,
    ).toMatchObject({
      from: { context_tokens: "200001" },
      list_price: { price: "6", currency: "USD", per: "1000000", markup: "1.3" },
    });
  });

  test("of models.dev's file are the same, and change as other rates do", async () => {
    await importText(LITELLM.replace(/,\s*"film": \{[^}]*\}/, ""), undefined, "prices.json");
    const same = await importText(MODELS_DEV(6), undefined, "api.json");
    expect(same.stdout).toContain("These are the rates already; nothing was changed.");
    const dearer = await importText(MODELS_DEV(9), undefined, "api.json");
    expect(dearer.stderr).toMatch(
      /^dearer +input_tokens +acme +swift +context 200001 +780 +1170 +1000000 +\+50\.0 %$/m,
    );
    const ended = await imported(MODELS_DEV(9).replace(/, "tiers": \[.*\]/, ""));
    expect(ended.changes).toEqual([
      expect.objectContaining({ change: "gone", band: { of: "context", from: "200001" } }),
    ]);
  });
});

describe("on a terminal", () => {
  const command = (file: string) => `rates import ${file} --markup 1.3 --per-credit "'USD 0.01'"`;

  test.each([
    ["no", 1, []],
    ["yes", 0, ["openai gpt-5 162500000/1000000"]],
  ])("it asks before it imports: %s", async (answer, code, rates) => {
    const file = join(folder, "asked.csv");
    await writeFile(file, `${HEADER}\nopenai,gpt-5,input,1.25,1000000,USD\n`);
    const terminal = openTerminal(command(file).replaceAll('"', ""), env());
    await terminal.shows("Import these rates? [yes/no]");
    expect(terminal.output()).toMatch(/added +input +openai +gpt-5 +162\.5/);
    expect(await listRates(books.database)).toEqual([]);
    terminal.type(`${answer}\n`);
    expect(await terminal.ended).toBe(code);
    expect((await ratesOf("input")).flat()).toEqual(rates);
  });

  test("what has changed while it asked is not imported", async () => {
    const file = join(folder, "asked.csv");
    await writeFile(file, PRICES);
    const terminal = openTerminal(command(file).replaceAll('"', ""), env());
    await terminal.shows("Import these rates? [yes/no]");
    await run("rate set input 1 --per 1");
    terminal.type("yes\n");
    expect(await terminal.ended).toBe(1);
    expect(terminal.output()).toContain("its rates changed while you were asked");
    expect(await listRates(books.database)).toHaveLength(1);
  });

  test("without one it needs --yes", async () => {
    const ran = await importText(PRICES, TERMS);
    expect(ran).toEqual({
      code: 2,
      stdout: "",
      stderr: "an import asks before it changes rates; without a terminal, add --yes\n",
    });
  });
});

describe("what an imported rate was made from is shown", () => {
  test("by rate list, catalogue show and explain event", async () => {
    await importText(PRICES);
    await openAccount(books, "acme", { lots: [{ credits: 1_000_000_000n }] });
    const dimensions = { provider: "openai", model: "gpt-5" };
    const event = { eventId: "e", accountId: "acme", meter: "input", quantity: 1_000n };
    await meterEvents(books, [{ ...event, dimensions, occurredAt: Date.now() + 1_000 }]);
    const sha256 = createHash("sha256").update(PRICES).digest("hex");
    const row =
      /input +(?:\S+ +valid +)?(?:provider=openai, model=gpt-5 +)?162\.5 .*1000000 +USD 1\.25 +1000000 +1\.3 +prices\.csv, SHA-256 (\w+)/;
    for (const command of ["rate list", "catalogue show"]) {
      expect(row.exec((await run(command)).stdout)?.[1]).toBe(sha256.slice(0, 12));
    }
    const { stdout } = await run("explain event e --account acme");
    expect(stdout).toMatch(
      /^rate +162\.5 credits for 1000000 units, for provider=openai, model=gpt-5, from \S+Z on$/m,
    );
    expect(stdout).toMatch(
      /^list price +USD 1\.25 for 1000000 units, times 1\.3, a credit at USD 0\.01$/m,
    );
    expect(stdout).toMatch(new RegExp(`^source +prices\\.csv \\(csv, SHA-256 ${sha256}\\)$`, "m"));
  });

  test("beside what an account with a discount pays of it", async () => {
    await importText(PRICES);
    await openAccount(books, "acme", { lots: [{ credits: 1_000_000_000n }] });
    expect(await run("rate own set acme --discount 20% --reason contract")).toMatchObject({
      code: 0,
    });
    const dimensions = { provider: "openai", model: "gpt-5" };
    const event = { eventId: "e", accountId: "acme", meter: "input", quantity: 1_000n };
    await meterEvents(books, [{ ...event, dimensions, occurredAt: Date.now() + 1_000 }]);
    const { stdout } = await run("explain event e --account acme");
    expect(stdout).toMatch(
      /^rate +130 credits for 1000000 units, for provider=openai, model=gpt-5, /m,
    );
    expect(stdout).toMatch(/^list rate +162\.5 credits for 1000000 units$/m);
    expect(stdout).toMatch(/^own terms +20 % off, on all meters, from .*: contract$/m);
    expect(stdout).toMatch(/^list price +USD 1\.25 for 1000000 units, times 1\.3, /m);
    expect(stdout).toMatch(/^source +prices\.csv /m);
    const { rate } = JSON.parse((await run("explain event e --account acme --json")).stdout);
    expect(rate).toMatchObject({
      ...{ credits: "130000000", priced_by: "discount", own: { discount: "20" } },
      list: { credits: "162500000", list_price: { price: "1.25", markup: "1.3" } },
      source: { file: "prices.csv" },
    });
    expect(rate).not.toHaveProperty("list_price");
  });
});

describe("a file that cannot be imported changes nothing", () => {
  const row = (cells: string) => `${PRICES}${cells}\n`;

  test.each<[string, string | Uint8Array, string[]]>([
    [
      "a price below zero",
      row("a,b,c,-1,1,USD"),
      ["6: price: must be 0 or more, without a sign, not -1"],
    ],
    ["no price", row("a,b,c,,1,USD"), ["6: price: is missing"]],
    [
      "an absurdly small price",
      row("a,b,c,1e-19,1,USD"),
      ["6: price: must be 0 or at least 1e-18, not 1e-19"],
    ],
    ["a huge price", row("a,b,c,1e9,1,USD"), ["6: price: must be below 1,000,000,000, not 1e9"]],
    [
      "the same key twice",
      row("openai,gpt-5,input,1.26,1000000,USD"),
      ["6: the file has another price in line 2"],
    ],
    [
      "an unknown column",
      PRICES.replace("per,", "pre,"),
      ["1: pre: is no column of a price table; did you mean per?"],
    ],
    [
      "an open pattern for a model",
      row("openai,gpt-5-*,input,1,1,USD"),
      [
        "6: the file ends in *, which a rate takes for all that begins like gpt-5-*; leave it out with --only",
      ],
    ],
    [
      "another currency",
      row("a,b,c,1,1,EUR"),
      ["6: the file is in EUR, but a credit is worth USD"],
    ],
    [
      "units without a common multiple",
      `${HEADER}\n${[999999999989, 999999999961, 1].map((per) => `a,m${per},c,1,${per},USD`).join("\n")}`,
      ["3: the file has units that have no common multiple with those of the others"],
    ],
    ["no table", "{}", [expect.stringMatching(/^1: the file is none of the formats: /) as string]],
    ["no text", new Uint8Array([0xff, 0xfe]), ["1: the file is not UTF-8"]],
  ])("%s", async (_, text, problems) => {
    await importText(PRICES);
    const before = await listRatesWithOrigins(books.database);
    const dearer = ["--markup", "2", "--per-credit", "USD 0.01", "--yes"];
    const ran = await importText(text, dearer);
    expect(ran.stdout.trimEnd().split("\n")).toEqual(
      problems.map((problem) =>
        typeof problem === "string" ? `prices.csv:${problem}` : expect.anything(),
      ),
    );
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({
      code: 1,
      stderr: "1 problem in prices.csv; nothing was imported\n",
    });
    const listed = JSON.parse((await importText(text, [...dearer, "--json"])).stdout);
    expect(listed).toMatchObject({ outcome: "refused", problems: [{ line: expect.any(Number) }] });
    expect(await listRatesWithOrigins(books.database)).toEqual(before);
  });

  test("a meter that depends on another dimension", async () => {
    const file = join(folder, "catalogue.yaml");
    await writeFile(
      file,
      "meters:\n  output:\n    dimensions: [model, region]\n    rates: [{ credits: 2, per: 1 }]",
    );
    expect(await run(`catalogue apply ${file}`)).toMatchObject({ code: 0 });
    const ran = await importText(PRICES);
    expect(lines(ran)).toEqual([
      "prices.csv:3: output: the meter output has rates by model, region, of which region is not one of provider, model",
    ]);
    expect(await ratesOf("input")).toEqual([]);
  });

  test.each([
    [["--markup", "openia/*=2"], "--markup openia/*: holds for no price: "],
    [["--only", "openia/*"], "--only openia/*: matches no provider/model of the file"],
  ])("an option that matches nothing: %j", async (options, problem) => {
    const ran = await importText(PRICES, [...TERMS, "--yes", ...options]);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain(problem);
    expect(await listRates(books.database)).toEqual([]);
  });

  test.each([
    [["--markup", "30%"], '--markup must be a number like 3, 0.0000003 or 3e-7, not "30%"'],
    [
      ["--per-credit", "0.01"],
      '--per-credit "0.01" is not what a credit is worth; write it like USD 0.01',
    ],
    [["--only", ""], "--only a pattern of provider/model is empty"],
    [["--from", "tomorrow"], '--from must be an instant like 2026-09-01T00:00:00Z, not "tomorrow"'],
  ])("a wrong option: %j", async (options, sentence) => {
    const ran = await importText(PRICES, ["--per-credit", "USD 0.01", "--yes", ...options]);
    expect(ran).toEqual({ code: 2, stdout: "", stderr: `${sentence}\n` });
  });

  test("one that is missing", async () => {
    const ran = await drawdown(["rates", "import", "/nowhere.csv", ...TERMS, "--yes"], {
      env: env(),
    });
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toMatch(/^cannot read \/nowhere\.csv: ENOENT/);
  });
});

describe("a file is taken", () => {
  test("with a byte order mark, lines in CRLF, and numbers like 1e-7 and 0.0000003", async () => {
    const text = `\uFEFF${HEADER}\r\nacme,a,input,1e-7,1,USD\r\nacme,b,input,0.0000003,1,USD\r\n`;
    await importText(text, ["--per-credit", "USD 0.01", "--yes"]);
    expect(await ratesOf("input")).toEqual([["acme a 10/1", "acme b 30/1"]]);
  });

  test("with the same price for the same key twice", async () => {
    await importText(`${PRICES}openai,gpt-5,input,1.250,1000000,USD\n`);
    expect((await ratesOf("input"))[0]).toHaveLength(3);
  });
});
