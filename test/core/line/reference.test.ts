import fc from "fast-check";
import { expect, test } from "vitest";
import { isReservedLot, REFERENCE } from "../../../shared/core/line/reference.ts";

const number = fc.nat({ max: 1_000_000 });
const big = fc.bigInt(0n, 2n ** 63n - 1n);
const id = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("a:1:0", "a:1:0:2-5", "plan:1:0", "top-up:manual:x", "line\nline", "1", "1:2"),
);
const period = { number, period: number };

const SAID = {
  monthLot: fc.record(period),
  raiseLot: fc.record({ ...period, credits: big }),
  topUpLot: fc.record({ paymentId: id }),
  fee: fc.record(period),
  raisedFee: fc.record({ ...period, price: big }),
  automaticTopUp: fc.record({ crossing: big, attempt: fc.integer({ min: 1, max: 1_000 }) }),
  manualTopUp: fc.record({ key: id }),
  expiry: fc.record({ lotId: id }),
  addOnCharge: fc.record({
    ...{ ...period, owed: number, units: number },
    addOnId: id.filter((text) => text !== ""),
  }),
  takenBack: fc.record({
    kind: fc.constantFrom("refund" as const, "chargeback" as const),
    refundId: id,
  }),
  subscriptionEnd: fc.record({ sequence: number }),
  methodRemoval: fc.record({ sequence: number }),
  lateUsage: fc.record({
    eventId: id.filter((text) => !text.includes(" of ")),
    source: id,
  }),
  eventCause: fc.record({ eventId: id }),
  entryCause: fc.record({ sequence: big }),
} as const;

type Kind = keyof typeof REFERENCE;
const KINDS = Object.keys(REFERENCE) as Kind[];

/** A grammar and a value for it. Each pair matches, which a union type cannot express. */
function grammarOf(kind: Kind) {
  const grammar = REFERENCE[kind] as {
    write(to: unknown): string;
    read(text: string): unknown;
  };
  return { ...grammar, said: SAID[kind] as fc.Arbitrary<unknown> };
}

test.each(KINDS)("a %s reference is read back as written, and as no other kind", (kind) => {
  const { said, write, read } = grammarOf(kind);
  fc.assert(
    fc.property(said, (to) => {
      const text = write(to);
      expect(read(text)).toEqual(to);
      const readers = KINDS.filter((other) => REFERENCE[other].read(text) !== null);
      expect(readers).toEqual([kind]);
    }),
  );
});

test.each([
  { text: REFERENCE.monthLot.write({ number: 1, period: 0 }), is: "plan:1:0" },
  { text: REFERENCE.raiseLot.write({ number: 1, period: 0, credits: 300n }), is: "plan:1:0:300" },
  {
    text: REFERENCE.topUpLot.write({ paymentId: "low-balance:3:2" }),
    is: "top-up:low-balance:3:2",
  },
  { text: REFERENCE.fee.write({ number: 1, period: 12 }), is: "fee:1:12" },
  { text: REFERENCE.raisedFee.write({ number: 1, period: 2, price: 1_700n }), is: "fee:1:2:1700" },
  { text: REFERENCE.automaticTopUp.write({ crossing: 12n, attempt: 1 }), is: "low-balance:12" },
  { text: REFERENCE.automaticTopUp.write({ crossing: 1n, attempt: 2 }), is: "low-balance:1:2" },
  { text: REFERENCE.subscriptionEnd.write({ sequence: 4 }), is: "subscription-end:4" },
  { text: REFERENCE.methodRemoval.write({ sequence: 4 }), is: "payment-method-removal:4" },
  { text: REFERENCE.manualTopUp.write({ key: "order 7" }), is: "manual:order 7" },
  { text: REFERENCE.expiry.write({ lotId: "plan:1:0" }), is: "expiry:plan:1:0" },
  {
    text: REFERENCE.addOnCharge.write({ addOnId: "v", number: 1, period: 0, owed: 2, units: 5 }),
    is: "add-on:v:1:0:2-5",
  },
  { text: REFERENCE.takenBack.write({ kind: "refund", refundId: "r1" }), is: "refund:r1" },
  { text: REFERENCE.eventCause.write({ eventId: "e" }), is: "event:e" },
  { text: REFERENCE.entryCause.write({ sequence: 3n }), is: "entry:3" },
])("$is: existing books contain it", ({ text, is }) => {
  expect(text).toBe(is);
});

test.each(["", "plan", "plan:1", "plan:x:0", "low-balance:", "add-on:v:1:0:2", "invoice 7"])(
  "'%s' is none of these kinds",
  (text) => {
    expect(KINDS.filter((kind) => REFERENCE[kind].read(text) !== null)).toEqual([]);
  },
);

test.each([
  { lotId: "plan:1:0", reserved: true },
  { lotId: "plan:whatever", reserved: true },
  { lotId: "top-up:manual:1", reserved: true },
  { lotId: "planned", reserved: false },
  { lotId: "gift", reserved: false },
])("lot $lotId is reserved: $reserved", ({ lotId, reserved }) => {
  expect(isReservedLot(lotId)).toBe(reserved);
});
