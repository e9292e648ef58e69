import { describe, expect, it } from "vitest";
import { activityLoader } from "../../services/dashboard/activity/export-activity.ts";
import { mergeActivity } from "../../services/dashboard/activity/merge-activity.ts";
import { withNewest, withNext } from "../../services/dashboard/live/paged-list.ts";
import { type ExportedRows, fileName, wholeCsv } from "../../services/dashboard/parts/whole-csv.ts";
import type { EntryData } from "../../shared/contract/entry.ts";
import type { UsageRecordData } from "../../shared/contract/usage-record.ts";
import { csvLine } from "../../shared/core/text/csv-text.ts";

const idOf = (id: string): string => id;

describe("a paged list", () => {
  it("continues with the next page, without duplicates", () => {
    const shown = { items: ["e", "d"], next: "2" };
    expect(withNext(shown, { items: ["d", "c"], next_cursor: null }, idOf)).toEqual({
      items: ["e", "d", "c"],
      next: null,
    });
  });

  it("reloaded, keeps the pages after the newest", () => {
    const shown = { items: ["e", "d", "c", "b"], next: "4" };
    expect(withNewest(shown, { items: ["f", "e"], next_cursor: "2" }, idOf)).toEqual({
      items: ["f", "e", "d", "c", "b"],
      next: "4",
    });
  });

  it("starts over where so much is new that the pages do not overlap", () => {
    const shown = { items: ["b", "a"], next: null };
    expect(withNewest(shown, { items: ["f", "e"], next_cursor: "2" }, idOf)).toEqual({
      items: ["f", "e"],
      next: "2",
    });
  });
});

const usage = (id: string, at: string): UsageRecordData => ({
  event_id: id,
  meter: "voice",
  quantity: "1",
  credits: "1",
  occurred_at: at,
  source: "",
  dimensions: {},
  start: "0",
  end: "1",
  metered_at: at,
});

const entry = (sequence: number, at: string): EntryData => ({
  sequence: String(sequence),
  kind: "grant",
  credits: "1",
  balance: "1",
  used_before: "0",
  lot_id: null,
  reference: "",
  due_at: at,
  posted_at: at,
  posted_by: null,
});

describe("activity", () => {
  const times = ({ items }: ReturnType<typeof mergeActivity>): string[] =>
    items.map(({ at }) => new Date(at).toISOString().slice(11, 13));

  it("merges usage and entries, newest first", () => {
    const merged = mergeActivity(
      {
        items: [usage("b", "2026-11-26T12:00:00Z"), usage("a", "2026-11-26T10:00:00Z")],
        next: null,
      },
      { items: [entry(1, "2026-11-26T11:00:00Z")], next: null },
    );
    expect(times(merged)).toEqual(["12", "11", "10"]);
    expect(merged.more).toBeNull();
  });

  it("ends where the shorter of two unfinished lists ends: items in between may be missing", () => {
    const merged = mergeActivity(
      {
        items: [usage("b", "2026-11-26T12:00:00Z"), usage("a", "2026-11-26T10:00:00Z")],
        next: "x",
      },
      { items: [entry(2, "2026-11-26T11:00:00Z"), entry(1, "2026-11-26T09:00:00Z")], next: null },
    );
    expect(times(merged)).toEqual(["12", "11", "10"]);
    expect(merged.more).toBe("usage");
  });
});

describe("an export", () => {
  const pageOf =
    <T>(items: readonly T[]) =>
    async (cursor: string | null) => {
      const from = Number(cursor ?? 0);
      const next = from + 50 < items.length ? String(from + 50) : null;
      return { items: items.slice(from, from + 50), next_cursor: next };
    };

  it("has all rows, however many pages they are on", async () => {
    const load = pageOf(Array.from({ length: 120 }, (_, i) => String(i)));
    const counted: bigint[] = [];
    const parts = await wholeCsv(
      ["n"],
      async (cursor) => {
        const { items, next_cursor: next } = await load(cursor);
        return { rows: items.map((item) => [item]), next };
      },
      (rows) => counted.push(rows),
    );
    expect(parts.join("").split("\r\n")).toHaveLength(1 + 120 + 1);
    expect(counted).toEqual([50n, 100n, 120n]);
  });

  it("fails whole where a page cannot be loaded", async () => {
    const load = async (cursor: string | null) => {
      if (cursor !== null) throw new Error("lost");
      return { rows: [["a"]], next: "1" };
    };
    await expect(wholeCsv(["n"], load, () => undefined)).rejects.toThrow("lost");
  });

  it("of activity has each usage and each entry of its days once, newest first", async () => {
    const at = (i: number) => new Date(Date.UTC(2026, 10, 26) - i * 60_000).toISOString();
    const usages = Array.from({ length: 170 }, (_, i) => usage(`u-${i}`, at(2 * i)));
    const entries = Array.from({ length: 130 }, (_, i) => entry(130 - i, at(5 * i + 1)));
    const from = Date.parse(at(400));
    const load = activityLoader({ records: pageOf(usages), entries: pageOf(entries), from });
    const times: string[] = [];
    let more: string | null = null;
    do {
      const page: ExportedRows = await load(more);
      times.push(...page.rows.map(([time]) => String(time)));
      more = page.next;
    } while (more !== null);
    expect(times).toHaveLength(170 + 80);
    expect(times).toEqual(times.toSorted().toReversed());
  });

  it("is named after its account, and its range", () => {
    const day = Date.UTC(2026, 10, 1);
    expect(fileName("acme", "usage", day, day + 86_400_000)).toBe(
      "acme-usage-2026-11-01-to-2026-11-02",
    );
    expect(fileName("a/b c", "usage", day, day + 5_400_000)).toBe(
      "a-b-c-usage-2026-11-01-to-2026-11-01-0130",
    );
  });
});

describe("CSV", () => {
  it("quotes what needs it, and keeps big numbers whole", () => {
    const rows = [["a,b", 'say "hi"', 9_223_372_036_854_775_807n, { number: "-0.5" }]] as const;
    expect([["w", "x", "y", "z"], ...rows].map(csvLine).join("")).toBe(
      'w,x,y,z\r\n"a,b","say ""hi""",9223372036854775807,-0.5\r\n',
    );
  });

  it("lets no text be a formula", () => {
    expect([["source"], ["=HYPERLINK(1)"], ["+1"], ["@x"], ["-2"]].map(csvLine).join("")).toBe(
      "source\r\n'=HYPERLINK(1)\r\n'+1\r\n'@x\r\n'-2\r\n",
    );
  });
});
