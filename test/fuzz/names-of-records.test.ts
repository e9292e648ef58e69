/** What a record has beside its value, from any producer: the key that names the account, and headers. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_BIGINT } from "../../shared/core/line/credit-line.ts";
import { idProblem } from "../../shared/core/text/text.ts";
import { TOPICS } from "../../shared/core/text/topics.ts";
import { readKey } from "../../shared/kafka/codec/read-key.ts";
import { claimedRetry, retryHeaders } from "../../shared/kafka/codec/retry-header.ts";
import { readSequence } from "../../shared/kafka/codec/sequence-header.ts";
import { fuzzing } from "./budget.ts";
import { inTime } from "./in-time.ts";
import { mutantsOf } from "./mutants.ts";

const bytes = fc.uint8Array({ maxLength: 300 }).map((given) => Buffer.from(given));
const texts = fc.string({ unit: "grapheme", minLength: 1, maxLength: 256 });
const partition = fc.nat(2 ** 31 - 1);
const offset = fc.bigInt({ min: 0n, max: MAX_BIGINT });
const headers = <T>(value: fc.Arbitrary<T>) => fc.oneof(value, fc.array(value, { maxLength: 2 }));

test("a key is the account whose id it is, to the byte, or none", () => {
  fc.assert(
    fc.property(fc.oneof(mutantsOf(texts.map((text) => Buffer.from(text))), bytes), (key) => {
      const read = inTime(() => readKey(key));
      if (typeof read === "object") expect(read.reason).toBe("no_account_id");
      else expect([Buffer.from(read).equals(key), idProblem("", read)]).toEqual([true, null]);
    }),
    fuzzing(),
  );
});

test("a retry names a place that can be, or is none", () => {
  fc.assert(
    fc.property(partition, offset, (of, at) => {
      const place = { topic: TOPICS.usageEvents, partition: of, offset: at };
      expect(claimedRetry({ headers: retryHeaders(place) })).toEqual(place);
    }),
    fuzzing(),
  );
  const digits = fc.tuple(fc.bigInt(0n, 10n ** 10n), fc.bigInt(0n, 10n ** 19n));
  const valid = digits.map(([of, at]) => Buffer.from(`${TOPICS.usageEvents}/${of}/${at}`));
  fc.assert(
    fc.property(headers(fc.oneof(valid, mutantsOf(valid))), (value) => {
      const place = inTime(() => claimedRetry({ headers: { "retry-of": value } }));
      if (place === null) return;
      expect([place.partition < 2 ** 31, place.offset <= MAX_BIGINT]).toEqual([true, true]);
    }),
    fuzzing(),
  );
});

test("a sequence is a number that can be stored, or the reason why there is none", () => {
  const valid = offset.map((sequence) => Buffer.from(String(sequence)));
  fc.assert(
    fc.property(headers(fc.oneof(valid, mutantsOf(valid))), (value) => {
      const sequence = inTime(() => readSequence({ sequence: value }));
      if (typeof sequence === "string") expect(sequence).toMatch(/^its sequence is not/);
      else expect([sequence >= 1n, sequence <= MAX_BIGINT]).toEqual([true, true]);
    }),
    fuzzing(),
  );
});
