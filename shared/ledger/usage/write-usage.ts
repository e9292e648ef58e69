import type { Account, Instant } from "../../core/line/account.ts";
import type { Drawn } from "../../core/usage/events-in-batch.ts";
import type { ColumnMetering } from "../../core/usage/meter-columns.ts";
import type { ReceivedEvent } from "../../core/usage/usage-event.ts";
import { type HoldsUsed, usedOf } from "../holds/take-usage.ts";
import type { Transaction } from "../postgres/database.ts";
import { together } from "../postgres/together.ts";
import { columnPages, identitiesOfColumns } from "./column-pages.ts";
import type { EventKeys } from "./event-key.ts";
import type { Generations } from "./identities.ts";
import { type Page, pagedLines, pagesOf, writePages } from "./pages.ts";
import { identitiesOn, newIdentities, writeIdentities } from "./write-identities.ts";

/** How the usage of a batch is written. */
interface Writing {
  readonly generations: Generations;
  /** The keys of the batch, by place. */
  readonly keys: EventKeys;
  /** Keys may be those of other events. */
  readonly mayClash: boolean;
  readonly meteredAt: Instant;
}

/** What a batch did to the books before its usage is written. */
export interface MeteredBatch extends ColumnMetering {
  /** Null: not known. */
  readonly holdsUsed: HoldsUsed | null;
  /** What of it is being written yet; null: nothing. */
  readonly written: Promise<void> | null;
}

/** Writes the pages of a batch and the identities on them. `accounts` have the versions before it. */
export async function writeUsage(
  transaction: Transaction,
  { drawn, columns, accounts, holdsUsed }: MeteredBatch,
  writing: Writing,
): Promise<void> {
  const { generations, keys, meteredAt } = writing;
  const by = { meteredAt, holdsUsed };
  const pages = drawn.length === 0 ? [] : pagesOfDrawn(drawn, accounts, by);
  const ofColumns = columns === null ? [] : columnPages(columns, by);
  // The second looks for clashes among what the first has written.
  const identities = async () => {
    if (pages.length > 0) {
      const ofPages = newIdentities(pages.flatMap(identitiesOn));
      await writeIdentities(transaction, generations, ofPages, writing);
    }
    if (columns !== null && columns.events > 0) {
      const inColumns = identitiesOfColumns(columns, ofColumns, keys);
      await writeIdentities(transaction, generations, inColumns, writing);
    }
  };
  await together([writePages(transaction, pages, ofColumns), identities()]);
}

function pagesOfDrawn(
  drawn: readonly Drawn<ReceivedEvent>[],
  accounts: readonly Account[],
  { meteredAt, holdsUsed }: Pick<Writing, "meteredAt"> & Pick<MeteredBatch, "holdsUsed">,
): Page[] {
  const versions = new Map<string, bigint>(
    accounts.map(({ accountId, version }) => [accountId, version + 1n]),
  );
  const byAccount = Map.groupBy(drawn, ({ event }) => event.accountId);
  return [...byAccount].flatMap(([accountId, ofAccount]) => {
    const version = versions.get(accountId);
    if (version === undefined) throw new Error(`account ${accountId} drew, but has not moved`);
    const by = { version, meteredAt, holdsUsed: usedOf(holdsUsed, accountId) };
    return pagesOf(ofAccount.flatMap((one) => pagedLines(one, by)));
  });
}
