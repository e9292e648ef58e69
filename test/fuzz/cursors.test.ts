/** A cursor is read as it was made, and is never more than its list's parts, whatever it was made of. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { cursorText, readCursor, type StreamCursor } from "../../services/api/stream/cursor.ts";
import {
  cursorsOf,
  INSTANT,
  SMALL,
  TEXT,
  WHOLE,
  WrongCursor,
} from "../../shared/contract/cursor.ts";
import { page } from "../../shared/contract/page.ts";
import { MAX_BIGINT } from "../../shared/core/line/credit-line.ts";
import { idProblem, MAX_ID_LENGTH } from "../../shared/core/text/text.ts";
import { fuzzing } from "./budget.ts";
import { inTime, refusalOf } from "./in-time.ts";
import { mutantTextsOf } from "./mutants.ts";

const LATEST = Date.UTC(5000, 0);
const cursors = cursorsOf("list", [WHOLE, SMALL, INSTANT, TEXT, TEXT]);
const whole = fc.bigInt({ min: -MAX_BIGINT, max: MAX_BIGINT });
const id = fc
  .oneof(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: MAX_ID_LENGTH }),
    fc.constantFrom("客".repeat(MAX_ID_LENGTH), "\u0001".repeat(MAX_ID_LENGTH)),
  )
  .filter((text) => idProblem("id", text) === null);
const parts = fc.tuple(whole, fc.nat(999_999_999), fc.nat(LATEST), id, id);

test("of any rows, it is read as it was made, and the API takes it", () => {
  fc.assert(
    fc.property(parts, (of) => {
      const cursor = cursors.of(...of);
      expect(cursors.read(cursor)).toEqual(of.map(String));
      expect(page.shape.cursor.safeParse(cursor).error).toBeUndefined();
    }),
    fuzzing(),
  );
});

test("changed, it is refused, or has parts that could have been given", () => {
  const json = parts.map(([first, ...rest]) =>
    JSON.stringify(["list", ...[first, ...rest].map(String)]),
  );
  const made = mutantTextsOf(json, ['","', "99999999999999999999", "\\u0000", "\\ud800"]);
  const encoded = made.map((text) => Buffer.from(text).toString("base64url"));
  fc.assert(
    fc.property(fc.oneof(encoded, mutantTextsOf(encoded)), (cursor) => {
      const refusal = refusalOf(WrongCursor, () => cursors.read(cursor));
      if (refusal !== null) return;
      const [number = "", small, at, ...names] = cursors.read(cursor) ?? [];
      expect(BigInt.asIntN(64, BigInt(number))).toBe(BigInt(number));
      expect([Number(small) < 2 ** 31, Number(at) < 1e14]).toEqual([true, true]);
      expect(names.join("")).not.toContain("\0");
    }),
    fuzzing(),
  );
});

test("of a stream, it is read as it was made, and changed it is refused or a cursor", () => {
  const count = fc.bigInt({ min: 0n, max: MAX_BIGINT });
  const cursor: fc.Arbitrary<StreamCursor> = fc.record({
    version: count,
    entries: count,
    topUps: count,
  });
  fc.assert(
    fc.property(cursor, (of) => {
      expect(readCursor(cursorText(of))).toEqual(of);
    }),
    fuzzing(),
  );
  fc.assert(
    fc.property(mutantTextsOf(cursor.map(cursorText)), (text) => {
      const read = inTime(() => readCursor(text));
      if (read !== null) expect(read.version + read.entries + read.topUps).toBeLessThan(2n ** 66n);
    }),
    fuzzing(),
  );
});
