/** A stretch of a run that the months divide. Instants are in milliseconds. */
export interface Calendar {
  /** When accounts were opened: from, to. */
  readonly opened: readonly [number, number];
  /** When the last of the load had been published. */
  readonly endedAt: number;
}

/** The first instants of the months in a stretch, in UTC. */
export function turnsBetween(from: number, to: number): number[] {
  const turns: number[] = [];
  for (let at = monthsAfter(firstOf(from), 1); at <= to; at = monthsAfter(at, 1)) turns.push(at);
  return turns;
}

/** The same instant so many months later, the day clamped at the month's end. */
export function monthsAfter(at: number, months: number): number {
  const date = new Date(at);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + months];
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const day = Math.min(date.getUTCDate(), last);
  return Date.UTC(year, month, day) + (at % 86_400_000);
}

function firstOf(at: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}
