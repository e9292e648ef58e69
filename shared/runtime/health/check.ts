import { setTimeout as sleep } from "node:timers/promises";

/** Why something is not well, and for how long if that is known. */
export interface Finding {
  readonly reason: string;
  readonly forMs?: number;
}

/** The result of a check: since when, in milliseconds since 1970, it has not been well. */
export interface Problem {
  readonly reason: string;
  readonly since: number;
}

/** Null: all is well. What it throws is a finding, too. */
export type Ask = () => Promise<Finding | null> | Finding | null;

const FRESH_MS = 1_000;
const ANSWERS_WITHIN_MS = 2_000;

/**
 * Asks at most once a second, and never a second time before the first has answered: so whoever asks often
 * costs a server little, and one that hangs gets no more to hang on.
 */
export function makeCheck(ask: Ask): () => Promise<Problem | null> {
  let asked: Promise<Finding | null> | null = null;
  let freshUntil = Number.NEGATIVE_INFINITY;
  let last: Problem | null = null;

  return async () => {
    if (performance.now() < freshUntil) return last;
    asked ??= findingOf(ask).finally(() => {
      asked = null;
    });
    last = dated(await inTime(asked), last);
    freshUntil = performance.now() + FRESH_MS;
    return last;
  };
}

async function findingOf(ask: Ask): Promise<Finding | null> {
  try {
    return await ask();
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

async function inTime(asked: Promise<Finding | null>): Promise<Finding | null> {
  const answered = new AbortController();
  const reason = `no answer within ${ANSWERS_WITHIN_MS / 1000} s`;
  const late = sleep(ANSWERS_WITHIN_MS, { reason }, { signal: answered.signal });
  late.catch(() => undefined);
  return Promise.race([asked, late]).finally(() => answered.abort());
}

/** What went on is dated by when it was first found. */
function dated(finding: Finding | null, before: Problem | null): Problem | null {
  if (finding === null) return null;
  const { reason, forMs } = finding;
  if (forMs !== undefined) return { reason, since: Date.now() - forMs };
  return { reason, since: before?.since ?? Date.now() };
}
