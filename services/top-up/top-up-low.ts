import type { AccountId } from "../../shared/core/line/account.ts";
import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import { topUpIfLow } from "../../shared/ledger/payments/top-up-account.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import { MOST_IN_A_SET, workInSets } from "../../shared/ledger/postgres/work-in-sets.ts";

/** Tops up an account if it is low; many accounts share a transaction. */
export type TopUpLow = (accountId: AccountId) => Promise<void>;

export function openTopUpLow(context: {
  readonly database: Database;
  readonly waits: Pick<OutageRetry, "untilUp">;
  /** The start of the Postgres server whose books are compared with the gateway's charges; empty: none is yet. */
  comparedOn(): string;
  /** Called after top-ups. */
  onTopUp(): void;
}): TopUpLow {
  const { database, waits, comparedOn, onTopUp } = context;
  return workInSets<AccountId, void>({
    most: MOST_IN_A_SET,
    keyOf: (accountId) => accountId,
    async work(accountIds) {
      const decisions = await waits.untilUp("Postgres", () =>
        topUpIfLow(database, accountIds, Date.now(), comparedOn()),
      );
      if ([...decisions.values()].some(({ topUp }) => topUp !== null)) onTopUp();
      return () => undefined;
    },
  });
}
