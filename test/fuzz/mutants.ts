import fc from "fast-check";
import { long } from "../support/kafka/usage-bytes.ts";

/** What is valid, changed in a few places: most of it is still read, so that what lies deeper is reached. */
export function mutantsOf(valid: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.tuple(valid, changes).map(([bytes, made]) => made.reduce(apply, bytes));
}

/** The same of text. `words` are inserted as they are: what its readers might trip over. */
export function mutantTextsOf(
  valid: fc.Arbitrary<string>,
  words: readonly string[] = [],
): fc.Arbitrary<string> {
  const inserted = fc.record({ at, word: fc.constantFrom(...HOSTILE_WORDS, ...words) });
  return fc
    .tuple(mutantsOf(valid.map((text) => Buffer.from(text))), fc.array(inserted, { maxLength: 2 }))
    .map(([bytes, all]) =>
      all.reduce((text, each) => {
        const place = each.at % (text.length + 1);
        return text.slice(0, place) + each.word + text.slice(place);
      }, bytes.toString()),
    );
}

type Change = (bytes: Buffer) => Buffer;

const at = fc.nat(0xffff);
const stretch = fc.nat(40);

/** Lengths and counts that readers trip over, in each way in which they are written. */
const NUMBERS = [-1n, 0n, 1n, -2n, 2n ** 31n - 1n, -(2n ** 31n), 2n ** 53n, 2n ** 62n].flatMap(
  (number) => [big(2, number), big(4, number), big(8, number), little(4, number), long(number)],
);

const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.oneof(
    fc.tuple(at, fc.nat(7)).map(([place, bit]) => flip(place, bit)),
    fc.tuple(at, stretch).map(([from, length]) => replace(from, length, NOTHING)),
    fc.tuple(at, fc.uint8Array({ maxLength: 8 })).map(([from, bytes]) => replace(from, 0, bytes)),
    fc.tuple(at, fc.constantFrom(...NUMBERS)).map(([from, bytes]) => replace(from, 0, bytes)),
    fc
      .tuple(at, fc.constantFrom(...NUMBERS))
      .map(([from, bytes]) => replace(from, bytes.length, bytes)),
    fc.tuple(at, stretch, fc.nat(500)).map(([from, length, times]) => repeat(from, length, times)),
    fc.tuple(at, at, stretch).map(([one, other, length]) => swap(one, other, length)),
    at.map((from) => replace(from, Number.POSITIVE_INFINITY, NOTHING)),
  ),
  { minLength: 1, maxLength: 4 },
);

const NOTHING = Buffer.alloc(0);

const HOSTILE_WORDS = [
  ...["\0", "\ud800", "\ufeff", "\ufffd", "\u2028", "\r\n", "\n\n", '"', "\\", "'", "&a *a", "%00"],
  ...["__proto__", "constructor", "null", "NaN", "1e400", "-0", "9".repeat(40), "[".repeat(2_000)],
  ...["{", "}", "]", ",", ":", "=1+1", "٣", "🦩", " ", "\t", "x".repeat(3_000)],
];

function apply(bytes: Buffer, change: Change): Buffer {
  return change(bytes);
}

function flip(place: number, bit: number): Change {
  return (bytes) => {
    if (bytes.length === 0) return bytes;
    const changed = Buffer.from(bytes);
    const index = place % bytes.length;
    changed[index] = (changed[index] ?? 0) ^ (1 << bit);
    return changed;
  };
}

function replace(place: number, length: number, by: Uint8Array): Change {
  return (bytes) => {
    const from = place % (bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(from + length)]);
  };
}

function repeat(place: number, length: number, times: number): Change {
  return (bytes) => {
    const from = place % (bytes.length + 1);
    const repeated = Array.from({ length: times }, () => bytes.subarray(from, from + length));
    return Buffer.concat([bytes.subarray(0, from), ...repeated, bytes.subarray(from)]);
  };
}

/** Two stretches of the same length, as far as they do not overlap. */
function swap(one: number, other: number, length: number): Change {
  return (bytes) => {
    const [first = 0, second = 0] = [one, other]
      .map((place) => place % (bytes.length + 1))
      .sort((a, b) => a - b);
    const end = Math.min(length, second - first);
    return Buffer.concat([
      ...[bytes.subarray(0, first), bytes.subarray(second, second + end)],
      bytes.subarray(first + end, second),
      ...[bytes.subarray(first, first + end), bytes.subarray(second + end)],
    ]);
  };
}

function big(size: 2 | 4 | 8, number: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, number));
  return bytes.subarray(8 - size);
}

function little(size: 4, number: bigint): Buffer {
  return Buffer.from(big(size, number)).reverse();
}
