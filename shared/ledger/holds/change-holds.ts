import { decideHolds, type HoldDecision, type HoldRequest } from "../../core/holds/decide-holds.ts";
import type { Account, AccountId, Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import { moveAccounts, type UnknownAccount } from "../books/move-account.ts";
import { lockAccounts, lockFreeAccounts, readAccounts } from "../books/read-accounts.ts";
import { readLotsOfDue } from "../books/read-lots.ts";
import { readLimits, type UsageOf } from "../budgets/read-limits.ts";
import type { Database } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";
import { inTwoRoundTrips } from "../postgres/two-round-trips.ts";
import { type HoldPlace, readHoldsToChange } from "./read-holds.ts";
import { type ChangedAccount, writeHolds } from "./write-holds.ts";

/** A request about a hold of an account. */
export type HoldAsked = HoldRequest & Pick<HoldPlace, "accountId">;

/** The hold after a request, or why it stays as it was. */
export type HoldOutcome = HoldDecision | UnknownAccount;

/**
 * Decides on requests about holds of any accounts, in their order, in one transaction. What is due on an account by
 * time alone is settled first. `overdraft` is that of accounts without their own. Returns an outcome for each request
 * once all of them are durable.
 */
export async function changeHolds(
  database: Database,
  requests: readonly HoldAsked[],
  now: Instant,
  overdraft: MicroCredits | null = null,
): Promise<HoldOutcome[]> {
  const asked = byAccountOf(requests);
  const ids = [...asked.keys()];
  const accounts = await readAccounts(database, ids);
  const due = ids.filter((id) => mustBeSettled(accounts.get(id), now));
  if (due.length > 0) await moveAccounts(database, { accountIds: due, now }, async () => new Map());
  const changed = await changeLocked(database, lockAccounts, {
    ...{ ids, asked, now },
    of: (account) => withOverdraft(account, overdraft),
  });
  const outcomes = outcomesOf(changed, asked);
  return requests.map((request) => {
    const { accountId } = request;
    return outcomes.get(request) ?? { kind: "unknown_account", accountId };
  });
}

/**
 * The same without waiting for anyone: null for requests about accounts that others have locked, that must be
 * settled, or that do not exist.
 */
export async function changeFreeHolds(
  database: Database,
  requests: readonly HoldAsked[],
  now: Instant,
  overdraft: MicroCredits | null = null,
): Promise<(HoldOutcome | null)[]> {
  const asked = byAccountOf(requests);
  const changed = await changeLocked(database, lockFreeAccounts, {
    ...{ ids: [...asked.keys()], asked, now },
    of: (account) => (mustBeSettled(account, now) ? null : withOverdraft(account, overdraft)),
  });
  const outcomes = outcomesOf(changed, asked);
  return requests.map((request) => outcomes.get(request) ?? null);
}

function withOverdraft(account: Account, overdraft: MicroCredits | null): Account {
  return account.overdraft === null ? { ...account, overdraft } : account;
}

function byAccountOf(requests: readonly HoldAsked[]) {
  return Map.groupBy(requests, ({ accountId }) => accountId);
}

/** A turn of the month may have credits for it; what waits for usage to be metered makes nothing available. */
function mustBeSettled(account: Account | undefined, now: Instant): boolean {
  const at = account?.settleAt ?? null;
  return at !== null && at <= now;
}

/** What is asked of accounts that are to be locked. */
interface Asked {
  readonly ids: readonly AccountId[];
  readonly asked: ReadonlyMap<AccountId, readonly HoldAsked[]>;
  readonly now: Instant;
  /** A locked account as decisions see it; null: it is left as it is. */
  readonly of?: (account: Account) => Account | null;
}

/** Changes the holds of accounts in one transaction; what has run out of time ends, whatever is asked. */
export async function changeLocked(
  database: Database,
  lock: typeof lockAccounts,
  { ids, asked, now, of = (account) => account }: Asked,
): Promise<ChangedAccount[]> {
  const named = [...asked.values()].flat();
  return inTwoRoundTrips(
    database,
    // By the time that holds are read, whoever had locked their accounts has committed.
    (transaction) =>
      together([lock(transaction, ids), readHoldsToChange(transaction, ids, named, now)]),
    async (transaction, [locked, holds]) => {
      const accounts = locked.flatMap((account) => of(account) ?? []);
      const [lots, limits] = await together([
        readLotsOfDue(transaction, accounts, now),
        readLimits(transaction, limitedAmong(accounts, asked), now, 0),
      ]);
      const changed = accounts.map((account) => {
        const { accountId } = account;
        const state = {
          account,
          lots: lots.get(accountId) ?? [],
          holds: holds.get(accountId) ?? [],
          limits: limits.get(accountId) ?? [],
        };
        return { account, ...decideHolds(state, asked.get(accountId) ?? [], now) };
      });
      return { result: changed, write: () => writeHolds(transaction, changed, now) };
    },
  );
}

/** What is asked for of accounts that have budgets. */
function limitedAmong(
  locked: readonly Account[],
  asked: ReadonlyMap<AccountId, readonly HoldAsked[]>,
): UsageOf[] {
  const limited = locked.filter(({ budgets }) => budgets !== null);
  return limited.map((account) => {
    const requests = asked.get(account.accountId) ?? [];
    const dimensions = requests.flatMap((request) =>
      request.kind === "hold" && request.dimensions !== null ? [request.dimensions] : [],
    );
    return { account, dimensions };
  });
}

function outcomesOf(
  changed: readonly ChangedAccount[],
  byAccount: ReadonlyMap<AccountId, readonly HoldAsked[]>,
): Map<HoldAsked, HoldOutcome> {
  const outcomes = new Map<HoldAsked, HoldOutcome>();
  for (const { account, decisions } of changed) {
    for (const [at, request] of (byAccount.get(account.accountId) ?? []).entries()) {
      const decision = decisions[at];
      if (decision !== undefined) outcomes.set(request, decision);
    }
  }
  return outcomes;
}
