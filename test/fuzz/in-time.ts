import { expect } from "vitest";

/** Generous: what reads a few kilobytes takes far less, and what reads them in quadratic time far more. */
const LIMIT_MS = 1_000;

/** What `work` returns, which may take a second of this thread's CPU time. */
export function inTime<T>(work: () => T): T {
  const before = process.threadCpuUsage();
  try {
    return work();
  } finally {
    expectSoon(before);
  }
}

export async function soon<T>(work: () => Promise<T>): Promise<T> {
  const before = process.threadCpuUsage();
  try {
    return await work();
  } finally {
    expectSoon(before);
  }
}

function expectSoon(before: NodeJS.CpuUsage): void {
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1000, "milliseconds of CPU time").toBeLessThan(LIMIT_MS);
}

/** The error that `work` ends with, which must be of a class; null: it ends with none. */
export function refusalOf<E extends Error>(
  kind: new (...given: never[]) => E,
  work: () => unknown,
): E | null {
  try {
    inTime(work);
    return null;
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
}
