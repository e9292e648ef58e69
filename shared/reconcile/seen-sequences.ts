/** Sequences from one to another, both included. */
interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * The sequences seen of each account on a topic, kept as the first, the last and the gaps between them.
 * They arrive in order, except that one left out may be published again later. A gap of any size is one
 * range, so that no sequence, however large, costs more than another.
 */
export function openSequences() {
  const seen = new Map<string, { readonly first: bigint; last: bigint; gaps: Range[] }>();

  return {
    add({ accountId, sequence }: { readonly accountId: string; readonly sequence: bigint }): void {
      const account = seen.get(accountId);
      if (account === undefined) {
        seen.set(accountId, { first: sequence, last: sequence, gaps: [] });
        return;
      }
      if (sequence <= account.last) {
        if (account.gaps.length > 0) account.gaps = account.gaps.flatMap(without(sequence));
        return;
      }
      const gap = { from: account.last + 1n, to: sequence - 1n };
      if (gap.from <= gap.to) account.gaps.push(gap);
      account.last = sequence;
    },

    has(accountId: string, sequence: bigint): boolean {
      const account = seen.get(accountId);
      if (account === undefined || sequence < account.first || sequence > account.last)
        return false;
      return account.gaps.every(({ from, to }) => sequence < from || sequence > to);
    },

    firstOf: (accountId: string) => seen.get(accountId)?.first ?? null,

    /** The ranges of sequences from `from` to `to` that were not seen. */
    missing(accountId: string, from: bigint, to: bigint): Range[] {
      const { first, last, gaps } = seen.get(accountId) ?? { first: to + 1n, last: to, gaps: [] };
      return [{ from, to: first - 1n }, ...gaps, { from: last + 1n, to }]
        .map((range) => ({ from: range.from, to: range.to < to ? range.to : to }))
        .filter((range) => range.from <= range.to);
    },
  };
}

/** What is left of a range without a sequence. */
function without(sequence: bigint): (range: Range) => Range[] {
  return ({ from, to }) => {
    if (sequence < from || sequence > to) return [{ from, to }];
    const parts = [
      { from, to: sequence - 1n },
      { from: sequence + 1n, to },
    ];
    return parts.filter((part) => part.from <= part.to);
  };
}
