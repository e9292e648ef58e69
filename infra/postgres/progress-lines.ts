import type { CarryProgress } from "./carry-usage.ts";

const EVERY_MS = 5_000;

/** Says every few seconds how far carrying usage has come, and what it waits for. */
export function progressLines(say: (line: string) => void): (progress: CarryProgress) => void {
  let lastAt = Number.NEGATIVE_INFINITY;
  return ({ carried, records, waitsFor }) => {
    if (performance.now() - lastAt < EVERY_MS) return;
    lastAt = performance.now();
    const how = waitsFor === null ? "" : `, waiting for ${waitsFor} to end what it does with them`;
    say(`usage carried over to pages: ${carried} of ${records} records${how}`);
  };
}
