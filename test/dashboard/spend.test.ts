import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Grouping } from "../../services/dashboard/api/account-api.ts";
import {
  dimensionsOffered,
  groupingOf,
  optionOf,
} from "../../services/dashboard/state/grouping.ts";
import {
  addOnBucket,
  layersOf,
  scaleOf,
  spendOf,
  usageOf,
} from "../../services/dashboard/state/spend.ts";
import { barsOf } from "../../services/dashboard/state/spend-range.ts";
import { keyName } from "../../services/dashboard/text/meter-text.ts";
import type { BucketData } from "../../shared/contract/usage.ts";

const DAY_1 = Date.parse("2026-11-24T23:00:00Z");
const DAY_2 = Date.parse("2026-11-25T23:00:00Z");
const END = Date.parse("2026-11-26T23:00:00Z");

const bucket = (
  at: number,
  key: string,
  credits: string,
  quantity: string | null = "1",
): BucketData => ({
  at: new Date(at).toISOString(),
  key,
  credits,
  events: "2",
  quantity,
});

describe("what was spent", () => {
  const buckets = [
    bucket(DAY_1, "voice", "10"),
    bucket(DAY_1, "tokens", "30"),
    bucket(DAY_2, "voice", "25"),
  ];

  it("is added up by bar and by key, largest first", () => {
    const spend = spendOf(buckets, [DAY_1, DAY_2], END);
    expect(spend.total).toBe(65n);
    expect(spend.rows).toEqual([
      { key: "voice", credits: 35n, events: 4n, quantity: 2n },
      { key: "tokens", credits: 30n, events: 2n, quantity: 1n },
    ]);
    expect(spend.bars.map(({ total }) => total)).toEqual([40n, 25n]);
    expect(spend.bars[1]).toMatchObject({ from: DAY_2, to: END });
  });

  it("includes add-ons, set apart from a meter of the same name", () => {
    const addOn = addOnBucket(bucket(DAY_2, "voice", "100"));
    const spend = spendOf([...buckets, addOn], [DAY_1, DAY_2], END);
    expect(spend.total).toBe(165n);
    expect(spend.rows.map(({ key }) => keyName(key, { group: "meter" }))).toEqual([
      ...["voice (add-on)", "voice", "tokens"],
    ]);
    expect(spend.bars.map(usageOf)).toEqual([40n, 25n]);
  });

  it("has a bar for a day without spend", () => {
    expect(spendOf([], [DAY_1, DAY_2], END).bars.map(({ total }) => total)).toEqual([0n, 0n]);
  });

  it("does not add quantities of different meters", () => {
    const spend = spendOf([bucket(DAY_1, "anna", "1", null)], [DAY_1], DAY_2);
    expect(spend.rows[0]?.quantity).toBeNull();
  });

  it("draws each key in its own colour, and the rest in one", () => {
    const keys = [..."abcdefghijklmn"];
    const spend = spendOf(
      keys.map((key, i) => bucket(DAY_1, key, String(100 - i))),
      [DAY_1],
      DAY_2,
    );
    const [bar] = spend.bars;
    const layers = bar === undefined ? [] : layersOf(bar, spend.rows);
    expect(layers.map(({ colour }) => colour)).toEqual([
      0,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      9,
      10,
      11,
      null,
    ]);
    expect(layers.at(-1)?.credits).toBe(88n + 87n);
  });
});

describe("the scale behind the bars", () => {
  it.each([
    [437n, [0n, 200n, 400n, 600n]],
    [400n, [0n, 100n, 200n, 300n, 400n]],
    [1n, [0n, 1n]],
    [0n, [0n, 1n]],
  ])("to %s is %s", (most, scale) => {
    expect(scaleOf(most)).toEqual(scale);
  });

  it("reaches the highest bar in two to five round steps", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 8n, max: 2n ** 63n - 1n }), (most) => {
        const scale = scaleOf(most);
        expect(scale.at(-1)).toBeGreaterThanOrEqual(most);
        expect(scale.at(-2)).toBeLessThan(most);
        expect(scale.length).toBeLessThanOrEqual(5);
        expect(String(scale[1])).toMatch(/^[125]0*$/);
      }),
    );
  });
});

describe("the ranges", () => {
  const now = Date.parse("2026-11-26T13:32:08Z");

  it("24 h is the current hour and the 23 before it", () => {
    const { by, starts, range } = barsOf("24 h", "Asia/Kolkata", now);
    expect(by).toBe("hour");
    expect(starts).toHaveLength(24);
    expect(new Date(range.to).toISOString()).toBe("2026-11-26T14:30:00.000Z");
    expect(range.to - range.from).toBe(24 * 3_600_000);
  });

  it("30 days end with today in the account's zone", () => {
    const { by, starts, range } = barsOf("30 days", "Europe/Prague", now);
    expect(by).toBe("day");
    expect(starts).toHaveLength(30);
    expect(range.from).toBe(starts[0]);
    expect(new Date(range.to).toISOString()).toBe("2026-11-26T23:00:00.000Z");
  });
});

describe("what spend is grouped by", () => {
  const dimension = (name: string): Grouping => ({ group: "dimension", dimension: name });

  it("is offered with the dimensions that prices depend on first, each once", () => {
    const seen = ["team", "model", "agent", "team"];
    expect(dimensionsOffered(["model", "kind"], seen, { group: "meter" })).toEqual([
      ...["model", "kind", "agent", "team"],
    ]);
    expect(dimensionsOffered([], [], dimension("gone"))).toEqual(["gone"]);
    expect(dimensionsOffered(["model"], ["a"], dimension("model"))).toEqual(["model", "a"]);
  });

  it("is one word of a list, and by meter if the word is none", () => {
    for (const grouping of [{ group: "meter" }, { group: "source" }, dimension("a b")] as const) {
      expect(groupingOf(optionOf(grouping))).toEqual(grouping);
    }
    for (const word of ["", "dimension", "colour"]) {
      expect(groupingOf(word)).toEqual({ group: "meter" });
    }
  });
});
