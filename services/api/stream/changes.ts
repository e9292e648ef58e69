import { z } from "zod";
import { streamEvents } from "../../../shared/contract/stream-events.ts";
import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import { availableAt } from "../../../shared/core/line/available.ts";
import { balanceOf, type MicroCredits } from "../../../shared/core/line/credit-line.ts";
import { earlier } from "../../../shared/core/month/account-book.ts";
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
  /** The credits available, which change when a lot ends, though the books do not. */
  readonly balance: MicroCredits;
  /** When the next lot may end; null: none will. */
  readonly nextEndAt: Instant | null;
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
  const at = now();
  const changes = await readSnapshot(database, (transaction) =>
    readAccountChanges(transaction, known, { at, limit: MOST_LISTED }),
  );
  return changes.map((changed) => toChanges(changed, at));
}

function toChanges(changed: AccountChanges, now: Instant): Changes {
  const { accountId, version, entries, topUps, newEntries, newTopUps } = changed;
  const left = availableAt(changed, changed.lots, now);
  const ended = balanceOf(changed) - left;
  return {
    accountId,
    balance: left,
    nextEndAt: nextEndOf(changed, now),
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
        data: encode(balance.in, {
          ...balanceChanged(changed, changedAtOf(changed, now)),
          ...{ balance: left, ended, available: left - changed.held },
        }),
      },
    ],
  };
}

/** When what it shows last changed: with the books, or as a lot ended since. */
function changedAtOf({ changedAt, lots }: AccountChanges, now: Instant): Instant {
  const ended = lots.flatMap(({ expiresAt }) =>
    expiresAt !== null && expiresAt <= now ? [expiresAt] : [],
  );
  return Math.max(changedAt, ...ended);
}

/** Nothing ends before something is due; what waits for its expiry to be posted has ended already. */
function nextEndOf({ nextDueAt, lots }: AccountChanges, now: Instant): Instant | null {
  if (nextDueAt === null || nextDueAt > now) return nextDueAt;
  return lots.reduce<Instant | null>(
    (next, { expiresAt }) =>
      expiresAt !== null && expiresAt > now ? earlier(next, expiresAt) : next,
    null,
  );
}

/** The fields of an event are those of its topic's record. */
function encode(wire: z.core.$ZodType, record: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(z.encode(wire, record));
}
