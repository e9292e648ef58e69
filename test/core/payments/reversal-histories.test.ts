/**
 * Histories of grants, top-ups, usage, expiring lots and partial refunds, compared with
 * naive-credits.ts, where each credit is an item of its own.
 *
 * After each step:
 * - the balance and what is left of each lot are the same
 * - a refund withdraws and reverses the same credits
 * - no refunds of a lot take more than it had
 * - the lots tile the line
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { naiveCredits } from "./naive-credits.ts";
import { playReversals } from "./reversals-in-play.ts";

type Step =
  | { readonly kind: "grant" | "buy"; readonly credits: number; readonly money: number }
  | { readonly kind: "use"; readonly credits: number }
  /** `lot` indexes the existing lots, or the bought ones, modulo their number. */
  | { readonly kind: "end"; readonly lot: number }
  | { readonly kind: "refund"; readonly lot: number; readonly money: number };

interface Bought {
  readonly lotId: string;
  readonly credits: bigint;
  /** Money not yet refunded. */
  unreturned: number;
  taken: bigint;
}

const small = fc.integer({ min: 1, max: 25 });
const someStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom("grant", "buy"), credits: small, money: small }),
  fc.record({ kind: fc.constant("use"), credits: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant("end"), lot: fc.nat(5) }),
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("refund"), lot: fc.nat(5), money: small }),
  },
);

test("a reversal takes what the naive account takes, and the line stays a line", () => {
  fc.assert(
    fc.property(fc.array(someStep, { maxLength: 25 }), (steps) => {
      const both = playBoth();
      for (const step of steps) {
        both.play(step);
        both.compare();
      }
    }),
    { numRuns: 1_000 },
  );
});

function playBoth() {
  const [acme, naive] = [playReversals(), naiveCredits()];
  const bought: Bought[] = [];

  function grant(kind: "grant" | "buy", credits: number, money: number): void {
    const lotId = `${kind}-${acme.lots().length}`;
    acme.grant(lotId, BigInt(credits), { kind: "never" }, BigInt(money));
    naive.grant(lotId, credits, kind === "buy" ? money : 0);
    if (kind === "grant") return;
    bought.push({ lotId, credits: BigInt(credits), unreturned: money, taken: 0n });
  }

  function endOf(lotId: string): void {
    acme.endOf(lotId);
    naive.expire(lotId);
  }

  function refund(lot: Bought, asked: number): void {
    const money = Math.min(asked, lot.unreturned);
    if (money === 0) return;
    lot.unreturned -= money;
    const outcome = acme.refund(lot.lotId, BigInt(money));
    const { withdrawn, owed } = naive.refund(lot.lotId, money);
    expect(outcome).toEqual({ withdrawn: BigInt(withdrawn), owed: BigInt(owed) });
    lot.taken += outcome.withdrawn + outcome.owed;
  }

  return {
    play(step: Step): void {
      if (step.kind === "use") {
        acme.use(BigInt(step.credits));
        naive.use(step.credits);
      } else if (step.kind === "end") {
        const lot = nth(acme.lots(), step.lot);
        if (lot !== undefined) endOf(lot.lotId);
      } else if (step.kind === "refund") {
        const lot = nth(bought, step.lot);
        if (lot !== undefined) refund(lot, step.money);
      } else {
        grant(step.kind, step.credits, step.money);
      }
    },
    compare(): void {
      expect(acme.balance()).toBe(BigInt(naive.balance()));
      for (const { lotId } of acme.lots()) {
        expect([lotId, acme.left(lotId)]).toEqual([lotId, BigInt(naive.left(lotId))]);
      }
      expect(bought.filter(({ taken, credits }) => taken > credits)).toEqual([]);
      expect(acme.gaps()).toEqual([]);
    },
  };
}

function nth<T>(items: readonly T[], n: number): T | undefined {
  return items[n % Math.max(1, items.length)];
}
