import type { BillingRecord } from "../kafka/codec/billing-records.ts";
import { erasedReference } from "../ledger/books/erased-reference.ts";
import type { Transaction } from "../ledger/postgres/database.ts";
import {
  findEntries,
  type LackedEntry,
  type PublishedEntry,
} from "../ledger/proof/verify-published.ts";
import type { PublicationDifference } from "./difference.ts";
import { openSequences } from "./seen-sequences.ts";

/** What an entry has beside its account and sequence; other topics' records have other fields. */
export interface BillingFields
  extends Pick<PublishedEntry, "kind" | "credits" | "balance" | "reference"> {
  readonly account_id: string;
  readonly lot_id: string | null;
  readonly due_at: number;
  readonly posted_at: number;
}

const ENTRIES_PER_LOOKUP = 1_000;

/**
 * Compares published entries with those of the books. What differs is reported at the end: only then is
 * it known whether the topic contradicts itself.
 */
export function compareEntries(
  transaction: Transaction,
  onDifference: (difference: PublicationDifference) => void,
) {
  const agreed = openSequences();
  const differing = new Map<string, EntryDifference>();
  let waiting: PublishedEntry[] = [];

  async function lookUp(): Promise<void> {
    const entries = waiting;
    waiting = [];
    const ofBooks = await findEntries(transaction, entries);
    for (const published of entries) {
      const name = `${published.accountId}/${published.sequence}`;
      const inBooks = ofBooks.get(name);
      if (inBooks === undefined) continue;
      if (!("isCounted" in inBooks) && isSame(published, inBooks)) agreed.add(published);
      else differing.set(name, differenceOf(published, inBooks, differing.get(name)));
    }
  }

  return {
    async add(record: BillingRecord<BillingFields>): Promise<void> {
      waiting.push(toEntry(record));
      if (waiting.length >= ENTRIES_PER_LOOKUP) await lookUp();
    },
    async finish(): Promise<void> {
      await lookUp();
      for (const found of differing.values()) {
        const { accountId, published } = found;
        const isContradicted = found.isContradicted || agreed.has(accountId, published.sequence);
        onDifference({ ...found, isContradicted });
      }
    },
  };
}

type EntryDifference = Extract<PublicationDifference, { kind: "missing_entry" | "other_entry" }> & {
  readonly published: PublishedEntry;
};

/** `earlier` is the difference of another record of the same entry. */
function differenceOf(
  published: PublishedEntry,
  inBooks: PublishedEntry | LackedEntry,
  earlier: EntryDifference | undefined,
): EntryDifference {
  const { accountId, sequence } = published;
  const isContradicted =
    earlier !== undefined && (earlier.isContradicted || !isSame(earlier.published, published));
  return "isCounted" in inBooks
    ? { kind: "missing_entry", accountId, sequence, published, ...inBooks, isContradicted }
    : { kind: "other_entry", accountId, published, inBooks, isContradicted };
}

function toEntry({ accountId, sequence, fields }: BillingRecord<BillingFields>): PublishedEntry {
  const { kind, credits, balance, reference, lot_id: lotId, due_at, posted_at } = fields;
  return {
    ...{ accountId, sequence, kind, credits, balance, lotId, reference },
    ...{ dueAt: Number(due_at), postedAt: Number(posted_at) },
  };
}

const COMPARED = ["kind", "credits", "balance", "lotId", "dueAt"] as const;

/** The books have a digest in place of what a person wrote about an account that is erased. */
function isSame(published: PublishedEntry, other: PublishedEntry): boolean {
  const { accountId, reference } = published;
  return (
    COMPARED.every((field) => published[field] === other[field]) &&
    (reference === other.reference || erasedReference(accountId, reference) === other.reference)
  );
}
