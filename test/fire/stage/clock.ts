import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The clock that every process of the run starts with: this machine's, so far moved. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Moves it for whatever is started from now on. */
  moveTo(instant: number): Promise<void>;
  /** Makes a process start with it. */
  readonly env: Readonly<Record<string, string>>;
}

const PRELOAD = join(import.meta.dirname, "moved-clock.ts");

/** `file` tells processes by how much they are moved. */
export async function openClock(file: string, startsAt: number): Promise<Clock> {
  let byMs = 0;
  const moveTo = async (instant: number) => {
    byMs = Math.round(instant - Date.now());
    await writeFile(file, String(byMs));
  };
  await moveTo(startsAt);
  return {
    ...{ moveTo, now: () => Date.now() + byMs },
    env: { NODE_OPTIONS: `--import=${PRELOAD}`, FIRE_CLOCK_FILE: file },
  };
}
