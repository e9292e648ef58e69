/**
 * RFC 9562, section 5.7, the method of 6.2 with a counter in the bits after the version:
 *
 * - 48 bits of Unix milliseconds, version 7, 12 bits of sequence, variant 10, 62 random bits
 * - ids sort by time, then by sequence, whatever their random bits
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { uuidV7 } from "../../../shared/core/text/uuid.ts";

const someTime = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const someSequence = fc.nat(0xfff);
const someRandom = fc.uint8Array({ minLength: 8, maxLength: 8 });

test("matches the RFC's own example", () => {
  const random = Buffer.from("18c4dc0c0c07398f", "hex");
  expect(uuidV7(0x017f22e279b0, 0xcc3, random)).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
});

test("holds the time, the version, the sequence, the variant and the random bits in their places", () => {
  fc.assert(
    fc.property(someTime, someSequence, someRandom, (now, sequence, random) => {
      const id = uuidV7(now, sequence, random);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      const bits = BigInt(`0x${id.replaceAll("-", "")}`);
      expect(Number(bits >> 80n)).toBe(now);
      expect(Number((bits >> 76n) & 0xfn)).toBe(7);
      expect(Number((bits >> 64n) & 0xfffn)).toBe(sequence);
      expect(Number((bits >> 62n) & 0x3n)).toBe(0b10);
      const tail = Buffer.from(random).readBigUInt64BE();
      expect(bits & (2n ** 62n - 1n)).toBe(tail & (2n ** 62n - 1n));
    }),
  );
});

test("sorts by time, then by sequence", () => {
  const some = fc.tuple(someTime, someSequence, someRandom);
  fc.assert(
    fc.property(some, some, fc.boolean(), ([now, order, random], other, atOnce) => {
      const later = atOnce ? now : other[0];
      const one = uuidV7(now, order, random);
      const two = uuidV7(later, other[1], other[2]);
      const difference = now - later || order - other[1];
      if (difference !== 0) expect(one < two).toBe(difference < 0);
    }),
  );
});

test("a fraction of a millisecond is dropped", () => {
  const random = new Uint8Array(8);
  expect(uuidV7(1_700_000_000_000.9, 0, random)).toBe(uuidV7(1_700_000_000_000, 0, random));
});
