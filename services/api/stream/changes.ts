import { z } from "zod";
import { streamEvents } from "../../../shared/contract/stream-events.ts";
import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import {
  type AccountChanges,
  type KnownChanges,
  readAccountChanges,
} from "../../../shared/ledger/books/account-changes.ts";
import {
  balanceChanged,
  creditsPostedRecord,
  topUpChangedRecord,
} from "../../../shared/ledger/outbox/records.ts";
import type { Database } from "../../../shared/ledger/postgres/database.ts";
import { readSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import type { StreamCursor } from "./cursor.ts";

/** An event of a stream, with its data as text. */
export interface ChangeEvent {
  readonly event: Exclude<keyof typeof streamEvents, "reload">;
  readonly counter: keyof StreamCursor;
  readonly sequence: bigint;
  readonly data: string;
}

/** What the books have of an account. */
export interface Changes {
  readonly accountId: AccountId;
  /** The newest state. */
  readonly cursor: StreamCursor;
  /** What is new; without entries or top-ups where there are too many to be sent one by one. */
  readonly events: readonly ChangeEvent[];
}

const MOST_LISTED = 100;
const { balance, credits, top_up } = streamEvents;

/** Reads what is new of accounts since `known`; null: only the state. Unknown accounts are left out. */
export async function readChanges(
  { database, now }: { readonly database: Database; now(): Instant },
  known: ReadonlyMap<AccountId, KnownChanges | null>,
): Promise<Changes[]> {
  const changes = await readSnapshot(database, (transaction) =>
    readAccountChanges(transaction, known, MOST_LISTED),
  );
  return changes.map((changed) => toChanges(changed, now()));
}

function toChanges(changed: AccountChanges, now: Instant): Changes {
  const { accountId, version, entries, topUps, newEntries, newTopUps } = changed;
  return {
    accountId,
    cursor: { version, entries, topUps },
    events: [
      ...newEntries.map((entry) => {
        const { sequence, record } = creditsPostedRecord(entry, entry.postedAt);
        const data = encode(credits.in, record);
        return { event: "credits", counter: "entries", sequence, data } as const;
      }),
      ...newTopUps.map((notice) => {
        const { sequence, changedAt } = notice;
        const { record } = topUpChangedRecord(accountId, notice, sequence, changedAt);
        const data = encode(top_up.in, record);
        return { event: "top_up", counter: "topUps", sequence, data } as const;
      }),
      {
        ...{ event: "balance", counter: "version", sequence: version },
        data: encode(balance.in, balanceChanged(changed, now)),
      },
    ],
  };
}

/** The fields of an event are those of its topic's record. */
function encode(wire: z.core.$ZodType, record: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(z.encode(wire, record));
}
