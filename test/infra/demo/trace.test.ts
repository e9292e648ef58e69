/**
 * - the file in the project is the original, unchanged
 * - a damaged file is refused, with the line or the numbers that show it
 */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseTrace, readTrace, TRACE_FILE, totalsOf } from "../../../infra/demo/trace.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens";

describe("the trace in the project", () => {
  test("is the file of its source, byte for byte", async () => {
    const hash = createHash("sha256").update(await readFile(TRACE_FILE));
    expect(hash.digest("hex")).toBe(
      "54e9a6d2a4bd06ba1e060304b900abbc74cbea53de96506e60fe5bb4f2277fb6",
    );
  });

  test("holds 8,819 requests with 18,059,974 input and 245,896 output tokens", async () => {
    expect(totalsOf(await readTrace())).toEqual({
      requests: 8_819,
      inputTokens: 18_059_974n,
      outputTokens: 245_896n,
    });
  });

  test("lasts 57 minutes and never goes back in time", async () => {
    const times = (await readTrace()).map(({ afterMs }) => afterMs);
    expect(times[0]).toBe(0);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBe(3_435_949);
  });
});

describe("a trace", () => {
  test("may end its lines either way, and end with one or not", () => {
    const rows = [HEADER, "2023-11-16 18:17:03.9799600,4808,10", "2023-11-16 18:17:04.0319600,7,0"];
    const requests = [
      { afterMs: 0, inputTokens: 4808n, outputTokens: 10n },
      { afterMs: 52, inputTokens: 7n, outputTokens: 0n },
    ];
    expect(parseTrace(rows.join("\r\n"))).toEqual(requests);
    expect(parseTrace(`${rows.join("\n")}\n`)).toEqual(requests);
  });

  test.each([
    { row: "2023-11-16 18:17:03.9799600,4808", says: /^line 2 .* is not time,tokens,tokens/ },
    { row: "2023-11-16 18:17:03.9799600,4808,-1", says: /^line 2/ },
    { row: "2023-11-16 18:17:03.9799600,4808,1.5", says: /^line 2/ },
    { row: "2023-13-16 18:17:03.9799600,4808,1", says: /^line 2/ },
    { row: "", says: /^line 2/ },
  ])("with the row '$row' is refused", ({ row, says }) => {
    expect(() => parseTrace(`${HEADER}\n${row}\n\n`)).toThrow(says);
  });

  test("that goes back in time is refused", () => {
    const rows = ["2023-11-16 18:17:03.9799600,1,1", "2023-11-16 18:17:03.9789600,1,1"];
    expect(() => parseTrace([HEADER, ...rows].join("\n"))).toThrow(/^line 3/);
  });

  test("that is truncated is refused with its totals", async () => {
    const file = join(await tempFolder(), "cut.csv");
    await writeFile(file, `${HEADER}\n2023-11-16 18:17:03.9799600,4808,10\n`);
    await expect(readTrace(file)).rejects.toThrow(
      "has 1 requests with 4808 input and 10 output tokens, not 8819 requests",
    );
  });
});
