import type { AccountId, Instant } from "../../core/line/account.ts";
import type { Refusal } from "../../core/line/refusal.ts";
import { isSameMeter } from "../../core/offer/catalogue-terms.ts";
import type { OwnPricing, OwnTerms } from "../../core/offer/own-terms.ts";
import { moveAccount, type RequestedBy, type UnknownAccount } from "../books/move-account.ts";
import { insertOwnTerms, listOwnTermsOf } from "../catalogue/own-terms.ts";
import { earliestChange, listRates } from "../catalogue/rates.ts";
import { type Database, queryRow, type Transaction } from "../postgres/database.ts";

/** Terms to set; `validFrom` null: from now on, or, where usage was metered, from the earliest instant. */
interface NewTerms extends Pick<OwnTerms, "meter" | "pricing" | "reason"> {
  readonly validFrom: Instant | null;
}

type SetOwnTermsOutcome =
  | { readonly kind: "set"; readonly terms: OwnTerms }
  /** The same were set before. */
  | { readonly kind: "already_exists"; readonly terms: OwnTerms }
  | Refusal<"version_exists" | "unknown_meter" | "too_early">;

const METERED = `
  SELECT EXISTS (SELECT FROM spend WHERE account_id = $1 AND ($2::text IS NULL OR meter = $2)) AS metered`;

/**
 * Sets an account's own terms from an instant on: for a meter, or for all that have none (null). Where usage of
 * it was metered, they begin at `earliestChange` at the earliest, so that no metered event would get another
 * price. If they begin earlier, the account moves: a batch that has read it reads the terms, too.
 */
export async function setOwnTerms(
  database: Database,
  { accountId, now, by }: RequestedBy,
  asked: NewTerms,
  maxAheadMs: number,
): Promise<SetOwnTermsOutcome | UnknownAccount> {
  return moveAccount<SetOwnTermsOutcome>(
    database,
    { accountId, now, by },
    async ({ book }, transaction) => {
      const { meter, pricing, reason } = asked;
      const earliest = earliestChange(now, maxAheadMs);
      const isMetered = await wasMetered(transaction, accountId, meter);
      const validFrom = asked.validFrom ?? (isMetered ? earliest : now);
      const terms = { accountId, meter, validFrom, pricing, reason, setBy: by };
      const against = await speaksAgainst(transaction, terms, asked.validFrom === null);
      if (against !== null) return { decision: against, step: null };
      if (isMetered && validFrom < earliest) {
        return { decision: { kind: "too_early", earliest }, step: null };
      }
      await insertOwnTerms(transaction, terms, now);
      const nothing = { entries: [], granted: [], changes: [], fees: [], lowBalance: null };
      const moved = { ...book, account: { ...book.account }, ...nothing };
      return { decision: { kind: "set", terms }, step: validFrom < earliest ? moved : null };
    },
  );
}

/**
 * Why terms need not or cannot be added, whenever they begin; null: nothing. `atOnce`: what the newest say already
 * needs no others, which would begin a version, with a remainder and a count of the month of its own.
 */
async function speaksAgainst(
  transaction: Transaction,
  { accountId, meter, validFrom, pricing }: OwnTerms,
  atOnce: boolean,
): Promise<SetOwnTermsOutcome | null> {
  if (meter !== null && !(await isPriced(transaction, meter))) {
    return { kind: "unknown_meter", meter };
  }
  const all = (await listOwnTermsOf(transaction, accountId)).filter((one) => one.meter === meter);
  const newest = all.at(-1);
  if (atOnce && newest !== undefined && isSamePricing(newest.pricing, pricing)) {
    return { kind: "already_exists", terms: newest };
  }
  const standing = all.find((one) => one.validFrom === validFrom);
  if (standing === undefined) return null;
  return isSamePricing(standing.pricing, pricing)
    ? { kind: "already_exists", terms: standing }
    : { kind: "version_exists" };
}

async function isPriced(transaction: Transaction, meter: string): Promise<boolean> {
  return (await listRates(transaction, meter)).length > 0;
}

async function wasMetered(
  transaction: Transaction,
  accountId: AccountId,
  meter: string | null,
): Promise<boolean> {
  const row = await queryRow<{ metered: boolean }>(transaction, METERED, [accountId, meter]);
  return row?.metered === true;
}

function isSamePricing(a: OwnPricing, b: OwnPricing): boolean {
  if (a.kind === "discount") return b.kind === "discount" && a.basisPoints === b.basisPoints;
  return b.kind === "rates" && isSameMeter(a.terms, b.terms);
}
