import { describe, expect, it } from "vitest";
import { prefersCsv } from "../../services/api/csv-answer.ts";
import {
  CSV_PAGE,
  csvFileName,
  csvText,
  pagesOf,
  slicesOf,
} from "../../shared/contract/csv-export.ts";
import { USAGE_RECORDS_CSV } from "../../shared/contract/csv-tables.ts";

const NUMBERS = [["n", (n: number) => BigInt(n)]] as const;

async function linesOf(text: AsyncIterable<string>): Promise<string[]> {
  return (await Array.fromAsync(text)).join("").split("\r\n");
}

/** A list of `count` numbers, and the number of them that were read. */
function listOf(count: number) {
  const list = { read: 0, pages: pagesOf(async (last: number | null) => read(last)) };
  const read = (last: number | null) => {
    const from = last === null ? 0 : last + 1;
    const length = Math.min(CSV_PAGE, count - from);
    list.read = from + length;
    return Array.from({ length }, (_, i) => from + i);
  };
  return list;
}

describe("an export", () => {
  it.each([0, 1, 999, 1_000, 1_001, 5_000])("has all of %i rows, each once", async (count) => {
    const whole = ["n", ...Array.from({ length: count }, (_, i) => String(i)), ""];
    expect(await linesOf(csvText(NUMBERS, listOf(count).pages))).toEqual(whole);
    const rows = Array.from({ length: count }, (_, i) => i);
    expect(await linesOf(csvText(NUMBERS, slicesOf(rows)))).toEqual(whole);
  });

  it("reads no further than its reader", async () => {
    const list = listOf(1_000_000);
    const text = csvText(NUMBERS, list.pages);
    await text.next();
    await text.next();
    expect(list.read).toBe(2 * CSV_PAGE);
  });

  it("fails where a page cannot be read", async () => {
    const pages = pagesOf<number>(async (last) => {
      if (last !== null) throw new Error("lost");
      return Array.from({ length: CSV_PAGE }, (_, i) => i);
    });
    await expect(linesOf(csvText(NUMBERS, pages))).rejects.toThrow("lost");
  });

  it("is named after its account and its range", () => {
    const from = Date.UTC(2026, 10, 1);
    expect(csvFileName("acme", "usage", from, from + 86_400_000)).toBe(
      "acme-usage-2026-11-01-to-2026-11-02.csv",
    );
    expect(csvFileName("a/b c", 'x"y', from, from + 5_400_000)).toBe(
      "a-b-c-x-y-2026-11-01-to-2026-11-01-0130.csv",
    );
    expect(csvFileName("ü", "lots", undefined, from)).toBe("--lots-2026-11-01.csv");
  });

  it("has exact credits, and no text that a spreadsheet would run", async () => {
    const record = {
      ...{ occurredAt: 0, meteredAt: 1, eventId: "=1+1", meter: "call", source: "@app" },
      ...{ quantity: 9_223_372_036_854_775_807n, credits: 1n, dimensions: { a: "b" } },
      ...{ holdId: "run,1", holdUsed: true },
    };
    const [, line] = await linesOf(csvText(USAGE_RECORDS_CSV, slicesOf([record])));
    expect(line).toBe(
      `1970-01-01T00:00:00.000Z,'=1+1,call,9223372036854775807,0.000001,'@app,"{""a"":""b""}",1970-01-01T00:00:00.001Z,"run,1"`,
    );
  });
});

describe("a client", () => {
  it.each(["text/csv", "text/CSV; q=0.5", "application/json;q=0.4, text/csv;q=0.5, */*"])(
    "that sends Accept: %s gets CSV",
    (accept) => expect(prefersCsv(accept)).toBe(true),
  );

  it.each([undefined, "", "*/*", "text/*", "text/csv;q=0", "text/csv;q=0.1, application/json"])(
    "that sends Accept: %s gets JSON",
    (accept) => expect(prefersCsv(accept)).toBe(false),
  );
});
