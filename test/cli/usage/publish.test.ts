import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drawdown } from "../../support/cli/drawdown.ts";
import { openTerminal } from "../../support/cli/terminal.ts";
import { testKafka } from "../../support/kafka/kafka.ts";
import { takeUsageTopic } from "../../support/kafka/usage-topic.ts";
import { type PublishedUsage, watchUsage } from "./watch-usage.ts";

const account = `cli-${randomUUID()}`;
let giveBack: () => Promise<void>;
let folder: string;

// These events are on the topic that all services read, so nobody who counts may read it meanwhile.
beforeAll(async () => {
  giveBack = await takeUsageTopic(testKafka());
  folder = await mkdtemp(join(tmpdir(), "drawdown-publish-"));
});
afterAll(async () => {
  await giveBack();
  await rm(folder, { recursive: true, force: true });
});

const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const CTRL_C = "\x03";

const line = (fields: Record<string, unknown>) =>
  JSON.stringify({ account_id: account, meter: "cli-tokens", quantity: 1, ...fields });

/** Runs the command on these lines; `published` is what is on the topic afterwards. */
async function publish(
  lines: readonly string[],
  options: { json?: boolean } = {},
): Promise<{ code: number; stdout: string; stderr: string; published: PublishedUsage[] }> {
  const file = join(folder, `${randomUUID()}.ndjson`);
  await writeFile(file, lines.join("\n"));
  const topic = await watchUsage(account);
  const ran = await drawdown(["publish", file, ...(options.json === true ? ["--json"] : [])]);
  return { ...ran, published: await topic.since() };
}

test("publishes every line, with defaults for missing fields", async () => {
  const { code, stdout, stderr, published } = await publish([
    line({ event_id: "e-1", quantity: 1200, occurred_at: new Date().toISOString() }),
    "",
    line({ event_id: "e-2", quantity: "9007199254740993", occurred_at: Date.now() }),
    line({
      source: "speech",
      dimensions: { region: "eu", ["__proto__"]: "p" },
      quantities: { cached: "12", ["__proto__"]: 1 },
      hold_id: "run-1",
    }),
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^Published 3 events, [\d,]+ events?\/s; 0 failed\.\n$/);
  expect(published).toMatchObject([
    { event_id: "e-1", quantity: 1200n, source: "" },
    { event_id: "e-2", quantity: 9007199254740993n },
    {
      event_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      source: "speech",
      dimensions: { region: "eu" },
      quantities: { cached: 12n },
      hold_id: "run-1",
    },
  ]);
  const { dimensions = {}, quantities = {} } = published[2] ?? {};
  expect([Object.keys(dimensions).sort(), Object.keys(quantities).sort()]).toEqual([
    ["__proto__", "region"],
    ["__proto__", "cached"],
  ]);
});

test("names a bad line with its number and reason, and publishes the rest", async () => {
  const bad = [
    ["nonsense", "not JSON"],
    ["[1]", "not a JSON object"],
    [line({ meter: undefined }), "meter is missing"],
    [line({ meter: 5 }), "meter must be a string"],
    [
      line({ quantity: 1.5 }),
      "quantity must be a whole number of at least 0; write it as a string if it is above 2^53",
    ],
    [
      line({ quantity: -1 }),
      "quantity must be a whole number of at least 0; write it as a string if it is above 2^53",
    ],
    [
      line({ quantity: "9223372036854775808" }),
      "quantity must be a whole number of at least 0; write it as a string if it is above 2^53",
    ],
    [line({ occured_at: 0 }), "there is no field occured_at"],
    [
      line({ occurred_at: "yesterday" }),
      "occurred_at must be an instant like 2026-09-01T00:00:00Z, or milliseconds",
    ],
    [
      line({ occurred_at: 8_640_000_000_000_001 }),
      "occurred_at must be an instant like 2026-09-01T00:00:00Z, or milliseconds",
    ],
    [line({ dimensions: { tier: 1 } }), "dimensions.tier must be a string"],
    [
      line({ quantities: { cached: 1.5 } }),
      "quantities.cached must be a whole number of at least 0; write it as a string if it is above 2^53",
    ],
    [
      line({ dimensions: JSON.parse('{ "__proto__": 1 }') }),
      "dimensions.__proto__ must be a string",
    ],
    [line({ quantities: 5 }), "quantities must be an object of meters and quantities"],
    [line({ hold_id: 5 }), "hold_id must be a string"],
    [line({ hold_id: "" }), "usage not published (malformed): hold_id is empty"],
    [line({ event_id: "" }), "usage not published (malformed): event_id is empty"],
  ] as const;
  const { code, stdout, stderr, published } = await publish(
    [line({ event_id: "e-first" }), ...bad.map(([text]) => text), line({ event_id: "e-last" })],
    { json: true },
  );
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toEqual({
    published: 2,
    failed: bad.length,
    untimed: 2,
    events_per_second: expect.any(Number),
  });
  const said = stderr
    .trimEnd()
    .split("\n")
    .map((text) => JSON.parse(text));
  expect(said.slice(0, -1)).toEqual(bad.map(([, error], at) => ({ line: at + 2, error })));
  expect(said.at(-1)).toEqual({
    error: `${bad.length} lines of ${bad.length + 2} could not be published`,
  });
  expect(published.map(({ event_id }) => event_id)).toEqual(["e-first", "e-last"]);
});

test("reads standard input, and names bad lines in words", async () => {
  const stdin = `${line({ event_id: "e-stdin" })}\nnonsense\n`;
  expect(await drawdown(["publish", "-"], { stdin })).toEqual({
    code: 1,
    stdout: expect.stringMatching(
      /^Published 1 event, .*\n1 line has an event_id but no occurred_at and occurred now: published again, that would be a conflict\.\n$/,
    ),
    stderr: "line 2: not JSON\n1 line of 2 could not be published\n",
  });
});

test("no lines, no events", async () => {
  expect(await publish([])).toMatchObject({ code: 0, published: [] });
});

describe("is refused in one sentence", () => {
  test("a missing file", async () => {
    const { code, stderr } = await drawdown(["publish", "/nowhere/usage.ndjson"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^cannot read \/nowhere\/usage.ndjson: ENOENT.*\n$/);
  });

  test.each([
    [
      "Kafka",
      { KAFKA_BROKERS: "127.0.0.1:1" },
      /^Kafka at 127.0.0.1:1 cannot be reached: .*ECONNREFUSED.*\n$/,
    ],
    [
      "the registry",
      { SCHEMA_REGISTRY_URL: "http://someone:secret@127.0.0.1:65535/api" },
      /^the schema registry at http:\/\/127.0.0.1:65535\/api cannot be reached: .*\n$/,
    ],
  ])("%s that cannot be reached", async (_, env, sentence) => {
    const { code, stderr } = await drawdown(["publish", "-"], { env, stdin: line({}) });
    expect(code).toBe(1);
    expect(stderr).toMatch(sentence);
  });
});

test("Ctrl-C ends it and leaves the terminal as it was: lines wrap, and the bar is gone", async () => {
  const file = join(folder, "many.ndjson");
  await writeFile(file, `${line({})}\n`.repeat(400_000));
  const terminal = openTerminal(`publish ${file}`);
  await terminal.shows(NO_WRAP);
  terminal.type(CTRL_C);
  expect(await terminal.ended).toBe(130);
  const [, afterBar] = terminal.output().split(WRAP);
  expect(afterBar).toBeDefined();
  expect(afterBar).not.toContain("%");
});
