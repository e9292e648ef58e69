import type { AccountId } from "../core/line/account.ts";
import type { PublicationDifference } from "./difference.ts";

/** What a partition of `billing.balances` has of an account. */
interface Told {
  readonly partition: number;
  newest: bigint;
  /** Of the records that the books know, which must not be ahead of them. */
  newestKnown: bigint;
  /** Of the last record, which compaction keeps; null: it cannot be read. */
  last: bigint | null;
}

/**
 * The versions of each account on `billing.balances`. Records of a partition arrive in order. An account is
 * in several partitions once partitions were added: a reader that keeps the largest version then has the
 * largest of the last records.
 */
export function openToldBalances() {
  const told = new Map<string, Told[]>();

  function of(accountId: string, partition: number): Told {
    const known = told.get(accountId) ?? [];
    const there = known.find((one) => one.partition === partition);
    if (there !== undefined) return there;
    const first = { partition, newest: 0n, newestKnown: 0n, last: null };
    told.set(accountId, [...known, first]);
    return first;
  }

  return {
    /** `version` null: a record that cannot be read. */
    add(accountId: string, version: bigint | null, partition: number, isKnown: boolean): void {
      const there = of(accountId, partition);
      there.last = version;
      if (version === null) return;
      if (version > there.newest) there.newest = version;
      if (isKnown && version > there.newestKnown) there.newestKnown = version;
    },

    /** How the topic differs from an account that is at `version` and has no change to be published. */
    differenceFrom(accountId: AccountId, version: bigint): PublicationDifference | null {
      const there = told.get(accountId) ?? [];
      const known = largest(there.map(({ newestKnown }) => newestKnown));
      if (known > version) {
        return { kind: "balance_ahead", accountId, version: known, inBooks: version };
      }
      const last = largest(there.map((one) => one.last ?? 0n));
      if (last >= version) return null;
      if (largest(there.map(({ newest }) => newest)) < version) {
        return { kind: "balance_not_told", accountId };
      }
      return { kind: "balance_overtaken", accountId, version: last, inBooks: version };
    },
  };
}

function largest(versions: readonly bigint[]): bigint {
  return versions.reduce((most, version) => (version > most ? version : most), 0n);
}
