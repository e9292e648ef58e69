/**
 * The sequences seen of each account on a topic, kept as the first, the last and the gaps between them.
 * They arrive in order, except that one left out may be published again later.
 */
export function openSequences() {
  const seen = new Map<string, { readonly first: bigint; last: bigint; gaps: Set<bigint> }>();

  return {
    add({ accountId, sequence }: { readonly accountId: string; readonly sequence: bigint }): void {
      const account = seen.get(accountId);
      if (account === undefined) {
        seen.set(accountId, { first: sequence, last: sequence, gaps: new Set() });
        return;
      }
      account.gaps.delete(sequence);
      for (let gap = account.last + 1n; gap < sequence; gap += 1n) account.gaps.add(gap);
      if (sequence > account.last) account.last = sequence;
    },

    firstOf: (accountId: string) => seen.get(accountId)?.first ?? null,

    /** The ranges of sequences from `from` to `to` that were not seen. */
    missing(accountId: string, from: bigint, to: bigint): { from: bigint; to: bigint }[] {
      const { first, last, gaps } = seen.get(accountId) ?? { first: to + 1n, last: to, gaps: [] };
      return [
        { from, to: first - 1n },
        ...[...gaps].map((gap) => ({ from: gap, to: gap })),
        { from: last + 1n, to },
      ]
        .map((range) => ({ from: range.from, to: range.to < to ? range.to : to }))
        .filter((range) => range.from <= range.to);
    },
  };
}
