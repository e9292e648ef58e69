/** The known name that `name` most likely misspells; null: none is close. */
export function nearestName(name: string, known: readonly string[]): string | null {
  let nearest: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const most = Math.max(1, Math.floor(candidate.length / 3));
    if (Math.abs(candidate.length - name.length) > most) continue;
    const slips = distance(name.toLowerCase().replaceAll("-", "_"), candidate);
    if (slips <= most && slips < least) {
      nearest = candidate;
      least = slips;
    }
  }
  return nearest;
}

/** The number of letters to add, drop, change or swap with the next one (Damerau-Levenshtein). */
function distance(from: string, to: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let line = 0; line < from.length; line++) {
    const next = [line + 1];
    for (let at = 0; at < to.length; at++) {
      const isSwap = line > 0 && at > 0 && from[line] === to[at - 1] && from[line - 1] === to[at];
      const slips = [
        (row[at] ?? 0) + (from[line] === to[at] ? 0 : 1),
        (row[at + 1] ?? 0) + 1,
        (next[at] ?? 0) + 1,
        ...(isSwap ? [(before[at - 1] ?? 0) + 1] : []),
      ];
      next.push(Math.min(...slips));
    }
    before = row;
    row = next;
  }
  return row[to.length] ?? 0;
}
