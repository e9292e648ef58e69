import fc from "fast-check";
import { MAX_BIGINT } from "../../shared/core/line/credit-line.ts";
import type { MeterVersion } from "../../shared/core/offer/rate-card.ts";
import { rateTable, type TableTerms } from "../../shared/core/offer/rate-table.ts";

/** Random histories: small ranges, so that the same ids, lots and instants often coincide. */
export const MINUTE = 60_000;
export const ACCOUNTS = ["ada", "bob", "cyd"] as const;
export const THRESHOLDS = [0n, 5_000_000n, -3_000_000n] as const;
export const PARTITIONS = 2;
const UNKNOWN_ACCOUNT = "nobody";

const CHAT: TableTerms = {
  dimensions: ["model", "region"],
  rates: [
    { patterns: ["one", null], credits: 2_000_000n, per: 3n },
    { patterns: ["o*", null], credits: 1n, per: 1n },
    { patterns: [null, null], credits: 500_000n, per: 7n },
    { patterns: ["one", null], band: { of: null, from: 6n }, credits: 1_000_000n, per: 2n },
  ],
};

/** `start` is when a history begins. Events have the model "one", or none. */
export function ratesFrom(start: number): MeterVersion[] {
  return [
    rateTable({ meter: "chat", validFrom: 0 }, CHAT),
    rateTable({ meter: "chat", validFrom: start }, { ...CHAT, rates: CHAT.rates.slice(0, 2) }),
    { meter: "call", validFrom: 0, credits: 1_000_000n, per: 1n },
    { meter: "token", validFrom: 0, credits: 3_000_000n, per: 7n },
    { meter: "token", validFrom: start, credits: 5_000_000n, per: 2_000_000n },
    { meter: "free", validFrom: 0, credits: 0n, per: 1n },
    { meter: "late", validFrom: start, credits: 1n, per: 1n },
  ];
}

export interface EventStep {
  readonly account: string;
  readonly id: number;
  readonly meter: string;
  readonly quantity: bigint;
  /** Minutes before the step's clock; negative: ahead of it. */
  readonly ago: number;
  readonly source: string;
  /** Of further meters. */
  readonly further: Readonly<Record<string, bigint>>;
}

/** How a sequence of events reaches the books: cut into batches, each delivered in one of these ways. */
export type Delivery =
  | "once"
  /** Again, as the group forgot its offset. */
  | "again"
  /** To two consumers, as after a rebalance that one of them has not noticed. */
  | "by two at once"
  /** Together with the batch before it. */
  | "with the one before";

export type Step =
  | {
      readonly kind: "usage";
      readonly partition: number;
      readonly events: readonly EventStep[];
      readonly batches: readonly { readonly size: number; readonly delivery: Delivery }[];
    }
  | {
      readonly kind: "grant";
      readonly account: (typeof ACCOUNTS)[number];
      readonly credits: bigint;
      /** Minutes after the step's clock; null: never. */
      readonly expiresIn: number | null;
    }
  | { readonly kind: "time passes"; readonly minutes: number };

const event: fc.Arbitrary<EventStep> = fc.record({
  account: fc.oneof(
    { weight: 15, arbitrary: fc.constantFrom<string>(...ACCOUNTS) },
    { weight: 1, arbitrary: fc.constant(UNKNOWN_ACCOUNT) },
  ),
  id: fc.nat(40),
  meter: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom("call", "token", "chat") },
    { weight: 1, arbitrary: fc.constantFrom("free", "late", "nothing") },
  ),
  quantity: fc.oneof(
    { weight: 20, arbitrary: fc.bigInt(0n, 12n) },
    { weight: 1, arbitrary: fc.constantFrom(-1n, MAX_BIGINT, MAX_BIGINT / 1_000_000n) },
  ),
  ago: fc.oneof(
    { weight: 10, arbitrary: fc.integer({ min: 0, max: 30 }) },
    { weight: 3, arbitrary: fc.constantFrom(60, 120, -1, -4) },
    { weight: 1, arbitrary: fc.constantFrom(-6, 36 * 24 * 60) },
  ),
  source: fc.constantFrom("", "", "", "other"),
  further: fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc.dictionary(
        fc.constantFrom("call", "token", "chat", "free", "late", "nothing"),
        fc.bigInt(-1n, 12n),
        { maxKeys: 4 },
      ),
    },
  ),
});

const delivery = fc.constantFrom<Delivery>(
  "once",
  "again",
  "by two at once",
  "with the one before",
);

const usage = fc.record({
  kind: fc.constant("usage" as const),
  partition: fc.nat(PARTITIONS - 1),
  events: fc.array(event, { minLength: 1, maxLength: 25 }),
  batches: fc.array(fc.record({ size: fc.integer({ min: 1, max: 12 }), delivery }), {
    minLength: 1,
    maxLength: 6,
  }),
});

const grant = fc.record({
  kind: fc.constant("grant" as const),
  account: fc.constantFrom(...ACCOUNTS),
  credits: fc.bigInt(1n, 40_000_000n),
  expiresIn: fc.option(fc.integer({ min: 1, max: 60 })),
});

const timePasses = fc.record({
  kind: fc.constant("time passes" as const),
  minutes: fc.integer({ min: 1, max: 45 }),
});

export const history: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: usage },
    { weight: 4, arbitrary: grant },
    { weight: 2, arbitrary: timePasses },
  ),
  { minLength: 4, maxLength: 16 },
);
