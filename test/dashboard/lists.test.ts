import { describe, expect, it } from "vitest";
import { mergeActivity } from "../../services/dashboard/activity/merge-activity.ts";
import { withNewest, withNext } from "../../services/dashboard/live/paged-list.ts";
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
  ...{ hold_id: null, hold_used: null },
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
