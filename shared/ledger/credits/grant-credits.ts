import type { AccountId, Instant } from "../../core/line/account.ts";
import type { AccountBook } from "../../core/month/account-book.ts";
import {
  decideGrant,
  type Grant,
  type GrantDecision,
  toLot,
} from "../../core/month/grant-credits.ts";
import { findLot } from "../books/granted-lots.ts";
import {
  type Decided,
  moveAccount,
  type SettledAccount,
  type UnknownAccount,
} from "../books/move-account.ts";
import type { Database, Transaction } from "../postgres/database.ts";

export type GrantOutcome =
  | Exclude<GrantDecision, { kind: "granted" }>
  /** With the lots that have credits left. */
  | (Extract<GrantDecision, { kind: "granted" }> & Pick<AccountBook, "lots">)
  | UnknownAccount;

/**
 * Grants credits to an account in one transaction; `by`: who requested it. Repeating it with the same lot
 * id is safe.
 */
export async function grantCredits(
  database: Database,
  accountId: AccountId,
  asked: Grant,
  now: Instant,
  by: string | null = null,
): Promise<GrantOutcome> {
  return moveAccount<GrantOutcome>(database, { accountId, now, by }, (settled, transaction) =>
    grantTo(settled, transaction, asked, now),
  );
}

/** Decides a grant on a settled account, in the transaction that has locked it. */
export async function grantTo(
  { book }: SettledAccount,
  transaction: Transaction,
  asked: Grant,
  now: Instant,
): Promise<Decided<GrantOutcome>> {
  const existing = await findLot(transaction, book.account.accountId, asked.lotId);
  const decision = decideGrant(asked, { account: book.account, existing, now });
  if (decision.kind !== "granted") return { decision, step: null };
  const { account, lot, entry, lowBalance } = decision;
  const lots = [...book.lots, toLot(lot)];
  const posted = { entries: [entry], granted: [lot], changes: [], fees: [], lowBalance };
  return { decision: { ...decision, lots }, step: { ...book, ...posted, account, lots } };
}
