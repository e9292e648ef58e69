import type { Account, Entry, Lot } from "../../../shared/core/line/account.ts";
import { remainingOf } from "../../../shared/core/line/credit-line.ts";
import type { LotEnd } from "../../../shared/core/month/expiry.ts";
import { decideGrant, type GrantedLot } from "../../../shared/core/month/grant-credits.ts";
import { type Settlement, settle } from "../../../shared/core/month/settle.ts";
import { EMPTY_SCHEDULE } from "../../../shared/core/month/subscription.ts";
import { EMPTY_CATALOGUE } from "../../../shared/core/offer/catalogue.ts";
import { type Reversal, reverseTopUp } from "../../../shared/core/payments/reverse-top-up.ts";
import { accountWith, DAY, NOON } from "../../support/core/examples.ts";
import { topUpWith } from "../../support/core/top-up-examples.ts";

/** An account whose lots are derived from entries, as in the ledger; each purchase costs ten dollars. */
export function playReversals(opening: Account = accountWith({ threshold: -(10n ** 9n) })) {
  let account = opening;
  let lots: Lot[] = [];
  let last: { entries: readonly Entry[]; lowBalance: Settlement["lowBalance"] } | null = null;
  const granted = new Map<string, GrantedLot>();
  const paid = new Map<string, { amount: bigint; returned: bigint }>();
  const entries: Entry[] = [];

  const book = () => {
    const live = lots.filter((lot) => lot.end > account.position);
    return { account, lots: live, schedule: EMPTY_SCHEDULE };
  };
  const find = (lotId: string) => {
    const lot = lots.find((one) => one.lotId === lotId);
    if (lot === undefined) throw new Error(`there is no lot ${lotId}`);
    return lot;
  };
  const lostOf = (lotId: string, ...kinds: Entry["kind"][]) =>
    entries
      .filter((one) => one.lotId === lotId && kinds.includes(one.kind))
      .reduce((sum, { credits }) => sum - credits, 0n);

  function write(done: Settlement): void {
    account = done.account;
    lots = lots.map((lot) => done.lots.find(({ lotId }) => lotId === lot.lotId) ?? lot);
    entries.push(...done.entries);
    last = done;
  }

  return {
    grant(lotId: string, credits: bigint, end: LotEnd = { kind: "never" }, amount = 1_000n): void {
      const asked = { lotId, credits, source: "top_up", reference: "", end } as const;
      const decision = decideGrant(asked, { account, existing: null, now: NOON });
      if (decision.kind !== "granted") throw new Error(decision.kind);
      const { lot } = decision;
      account = decision.account;
      lots.push({ lotId, start: lot.start, end: lot.end, expiresAt: lot.expiresAt });
      entries.push(decision.entry);
      granted.set(lotId, lot);
      paid.set(lotId, { amount, returned: 0n });
    },
    use(credits: bigint): void {
      account = { ...account, position: account.position + credits };
    },
    /** Expires the lot with what is left of it. */
    endOf(lotId: string): void {
      lots = lots.map((lot) => (lot.lotId === lotId ? { ...lot, expiresAt: NOON - DAY } : lot));
      const upto = { clock: NOON, usage: NOON, completeUntil: NOON };
      write(settle(book(), EMPTY_CATALOGUE, upto));
    },
    refund(lotId: string, money: bigint) {
      const [lot, bought] = [granted.get(lotId), paid.get(lotId)];
      if (lot === undefined || bought === undefined) throw new Error(`${lotId} was not bought`);
      const stands = { ...lot, ...find(lotId) };
      const remaining = remainingOf(stands, account.position);
      const used = lot.credits - remaining - lostOf(lotId, "expiry", "adjustment");
      const topUp = topUpWith({ credits: lot.credits, amount: bought.amount });
      const reversal: Reversal = {
        amount: money,
        amountBefore: bought.returned,
        reference: "refund:re_1",
      };
      const spent = used - lostOf(lotId, "reversal");
      const context = { book: book(), lot: stands, remaining, spent, now: NOON };
      const { step, ended, withdrawn, owed } = reverseTopUp(topUp, reversal, context);
      paid.set(lotId, { ...bought, returned: bought.returned + money });
      if (ended !== null) write(ended);
      if (step !== null) write(step);
      return { withdrawn, owed };
    },
    account: () => account,
    lots: () => lots,
    balance: () => account.granted - account.position,
    left: (lotId: string) => remainingOf(find(lotId), account.position),
    /** What the last movement posted and published. */
    posted: () => last?.entries ?? [],
    lowBalance: () => last?.lowBalance ?? null,
    /** Gaps between the lots, which must lie end to end from 0 to `granted`. */
    gaps(): string[] {
      const standing = lots.filter(({ start, end }) => start < end);
      const ends = [0n, ...standing.map(({ end }) => end)];
      const starts = [...standing.map(({ start }) => start), account.granted];
      return starts.flatMap((start, i) => (start === ends[i] ? [] : [`${ends[i]} and ${start}`]));
    },
  };
}
