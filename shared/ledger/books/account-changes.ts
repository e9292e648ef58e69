import type { Account, AccountId, Entry, Instant, Lot } from "../../core/line/account.ts";
import type { TopUpNotice } from "../../core/payments/auto-top-up.ts";
import { bigintArray, textArray } from "../postgres/array-literal.ts";
import { queryRows, type Transaction } from "../postgres/database.ts";
import { readLotsOfDue } from "./read-lots.ts";

/** What a reader already has of an account: the last sequences of its entries and top-up notices. */
export interface KnownChanges {
  readonly entries: bigint;
  readonly topUps: bigint;
}

/** An entry with the instant at which it was posted. */
export interface PostedAt extends Entry {
  readonly postedAt: Instant;
}

/** A top-up notice as it was published. */
export interface NumberedNotice extends TopUpNotice {
  readonly sequence: bigint;
  readonly changedAt: Instant;
}

/** An account's newest state, and what is new to a reader. */
export interface AccountChanges
  extends Pick<Account, "accountId" | "version" | "granted" | "position" | "nextDueAt" | "held">,
    KnownChanges {
  /** When usage, an entry or a setting last changed it. */
  readonly changedAt: Instant;
  /** Those with credits left; none if nothing is due on the account. */
  readonly lots: readonly Lot[];
  /** In order; empty where there are more than the limit. */
  readonly newEntries: readonly PostedAt[];
  /** In order; empty where there are more than the limit. */
  readonly newTopUps: readonly NumberedNotice[];
}

type State = Omit<AccountChanges, "lots" | "newEntries" | "newTopUps">;

const STATES = `
  SELECT account_id AS "accountId", version + hold_changes AS version, granted, position, held, entries,
         next_due_at AS "nextDueAt", coalesce(auto_top_up.told, 0)::bigint AS "topUps",
         greatest(
           created_at,
           (SELECT posted_at FROM entry WHERE entry.account_id = account.account_id
            ORDER BY sequence DESC LIMIT 1),
           coalesce(
             (SELECT metered_at FROM usage_page WHERE usage_page.account_id = account.account_id
              ORDER BY start_position DESC, version DESC LIMIT 1),
             (SELECT last_at FROM usage_past_stretch AS past WHERE past.account_id = account.account_id
              ORDER BY end_position DESC LIMIT 1)),
           (SELECT changed_at FROM setting_change WHERE setting_change.account_id = account.account_id
            ORDER BY sequence DESC LIMIT 1)) AS "changedAt"
  FROM account
  LEFT JOIN auto_top_up USING (account_id)
  WHERE account_id = ANY($1::text[])`;

const ENTRIES = `
  SELECT entry.account_id AS "accountId", sequence, kind, credits, granted, position,
         lot_id AS "lotId", reference, due_at AS "dueAt", posted_at AS "postedAt"
  FROM unnest($1::text[], $2::bigint[]) AS known (account_id, last)
  JOIN entry ON entry.account_id = known.account_id AND sequence > last
  ORDER BY entry.account_id, sequence`;

const TOP_UPS = `
  SELECT notice.account_id AS "accountId", sequence, top_up_id AS "topUpId", status, amount, currency,
         credits, reason, changed_at AS "changedAt"
  FROM unnest($1::text[], $2::bigint[]) AS known (account_id, last)
  JOIN top_up_notice AS notice ON notice.account_id = known.account_id AND sequence > last
  ORDER BY notice.account_id, sequence`;

/**
 * The newest state of accounts and what is new since `known` (null: nothing is listed), all from one
 * snapshot and in at most four statements. Of each account at most `limit` entries and `limit` notices
 * are listed; where there are more, none. Unknown accounts are left out.
 */
export async function readAccountChanges(
  transaction: Transaction,
  known: ReadonlyMap<AccountId, KnownChanges | null>,
  { at, limit }: { readonly at: Instant; readonly limit: number },
): Promise<AccountChanges[]> {
  const ids = textArray([...known.keys()]);
  const states = await queryRows<State>(transaction, STATES, [ids], "read-account-states");
  const newSince = (count: keyof KnownChanges) => {
    const since = states.flatMap((state) => {
      const last = known.get(state.accountId)?.[count] ?? state[count];
      const isListed = last < state[count] && state[count] - last <= BigInt(limit);
      return isListed ? [{ accountId: state.accountId, last }] : [];
    });
    return since.length === 0 ? null : since;
  };
  const entries = await listNew<PostedAt>(transaction, ENTRIES, newSince("entries"));
  const topUps = await listNew<NumberedNotice>(transaction, TOP_UPS, newSince("topUps"));
  const lots = await readLotsOfDue(transaction, states, at);
  return states.map((state) => ({
    ...state,
    lots: lots.get(state.accountId) ?? [],
    newEntries: entries.get(state.accountId) ?? [],
    newTopUps: topUps.get(state.accountId) ?? [],
  }));
}

async function listNew<Row>(
  transaction: Transaction,
  text: string,
  since: readonly { readonly accountId: AccountId; readonly last: bigint }[] | null,
): Promise<Map<AccountId, Row[]>> {
  if (since === null) return new Map();
  const rows = await queryRows<Row & { readonly accountId: AccountId }>(transaction, text, [
    textArray(since.map(({ accountId }) => accountId)),
    bigintArray(since.map(({ last }) => last)),
  ]);
  return Map.groupBy(rows, ({ accountId }) => accountId);
}
