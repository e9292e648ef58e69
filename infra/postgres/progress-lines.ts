import type { CarryProgress } from "./carry-usage.ts";

const EVERY_MS = 5_000;

/** Says every few seconds how far carrying usage has come, and what it waits for. */
export function progressLines(say: (line: string) => void): (progress: CarryProgress) => void {
  return everyFewSeconds(({ carried, records, waitsFor }: CarryProgress) => {
    const how = waitsFor === null ? "" : `, waiting for ${waitsFor} to end what it does with them`;
    say(`usage carried over to pages: ${carried} of ${records} records${how}`);
  });
}

/** Says every few seconds whom migrating waits for. */
export function waitingLines(say: (line: string) => void): (holders: string) => void {
  return everyFewSeconds((holders: string) =>
    say(
      `migrating waits for ${holders} to end what it does with the tables, and holds nobody up meanwhile`,
    ),
  );
}

function everyFewSeconds<T>(say: (what: T) => void): (what: T) => void {
  let lastAt = Number.NEGATIVE_INFINITY;
  return (what) => {
    if (performance.now() - lastAt < EVERY_MS) return;
    lastAt = performance.now();
    say(what);
  };
}
