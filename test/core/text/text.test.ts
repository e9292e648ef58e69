/**
 * - a valid id can be stored, is found again byte for byte, and no other id looks like it
 * - a problem says which text it is about, and what is wrong
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  idProblem,
  isStorable,
  MAX_ID_LENGTH,
  newAccountIdProblem,
  toAccountId,
  toNewAccountId,
} from "../../../shared/core/text/text.ts";

const HALF_OF_A_PAIR = "\u{1F600}".slice(0, 1);
const OTHER_HALF = "\u{1F600}".slice(1);

describe("an id may be", () => {
  test.each([
    { what: "one character", id: "a" },
    { what: "256 characters", id: "a".repeat(256) },
    { what: "any script", id: "Kundin-ß-客户-العميل" },
    { what: "a pair of surrogates", id: "\u{1F600}" },
    { what: "spaces and quotes", id: ` '"\\{},` },
    { what: "a line break or a control character other than NUL", id: "a\n\u0001" },
    { what: "the word null", id: "null" },
  ])("$what", ({ id }) => {
    expect(idProblem("event_id", id)).toBe(null);
    expect(toAccountId(id)).toBe(id);
  });
});

describe("an id may not be", () => {
  test.each([
    { what: "empty", id: "", why: "event_id is empty" },
    {
      what: "257 characters",
      id: "a".repeat(257),
      why: "event_id has 257 characters; at most 256",
    },
    { what: "text with NUL", id: "a\0b", why: "event_id holds a NUL character" },
    { what: "text of bytes that were not UTF-8", id: "a\uFFFD", why: "bytes that are not UTF-8" },
    { what: "half of a pair", id: `a${HALF_OF_A_PAIR}b`, why: "half of a surrogate pair" },
    { what: "the other half", id: OTHER_HALF, why: "half of a surrogate pair" },
    { what: "the halves in the wrong order", id: OTHER_HALF + HALF_OF_A_PAIR, why: "half of a" },
  ])("$what", ({ id, why }) => {
    expect(idProblem("event_id", id)).toContain(why);
    expect(() => toAccountId(id)).toThrow(RangeError);
  });
});

test("an invalid account id is refused with the reason", () => {
  expect(() => toAccountId("")).toThrow("account id is empty");
});

describe("no account is created under", () => {
  test.each([
    { what: "a dot", id: ".", why: "is ., which URLs resolve" },
    { what: "two dots", id: "..", why: "is .., which URLs resolve" },
    { what: "a line break", id: "a\nb", why: "a line break" },
    { what: "a carriage return at its end", id: "a\r", why: "a line break" },
    { what: "another control character", id: "a\u0001", why: "control character" },
    { what: "DEL", id: "a\u007f", why: "control character" },
    { what: "Unicode's line separator", id: "a\u2028b", why: "a line break" },
    { what: "Unicode's next line", id: "a\u0085b", why: "a line break" },
    { what: "a blank at the start", id: " a", why: "begins or ends with a blank" },
    { what: "a no-break space at the end", id: "a\u00a0", why: "begins or ends with a blank" },
    { what: "a byte order mark at the start", id: "\ufeffa", why: "begins or ends with a blank" },
    { what: "a slash", id: "a/b", why: "holds a slash" },
    { what: "a backslash", id: "a\\b", why: "holds a slash" },
    { what: "what no id may be", id: "", why: "is empty" },
  ])("$what; an older account keeps it", ({ id, why }) => {
    expect(newAccountIdProblem("account_id", id)).toContain(why);
    expect(() => toNewAccountId(id)).toThrow(RangeError);
    if (id !== "") expect(toAccountId(id)).toBe(id);
  });

  test.each([{ id: "a" }, { id: "..." }, { id: "a b" }, { id: "org:team@x.y" }, { id: "Ü-客户" }])(
    "but under $id",
    ({ id }) => expect(toNewAccountId(id)).toBe(id),
  );
});

describe("Postgres can store", () => {
  test.each([
    { what: "no text at all", text: "", can: true },
    { what: "the replacement character", text: "\uFFFD", can: true },
    { what: "a pair of surrogates", text: "\u{1F600}", can: true },
    { what: "not NUL", text: "a\0", can: false },
    { what: "not half of a pair", text: `a${HALF_OF_A_PAIR}`, can: false },
  ])("$what", ({ text, can }) => {
    expect(isStorable(text)).toBe(can);
  });
});

test("a valid id survives UTF-8 unchanged, and what does not survive is not valid", () => {
  const units = fc.array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constant(0x61)), {
    maxLength: MAX_ID_LENGTH + 4,
  });
  fc.assert(
    fc.property(units, (codes) => {
      const text = String.fromCharCode(...codes);
      const survives = Buffer.from(text, "utf8").toString("utf8") === text;
      const plain = !codes.includes(0) && !codes.includes(0xfffd);
      const fits = codes.length >= 1 && codes.length <= MAX_ID_LENGTH;
      expect(idProblem("id", text) === null).toBe(survives && plain && fits);
      expect(isStorable(text)).toBe(survives && !codes.includes(0));
    }),
    { numRuns: 500 },
  );
});
