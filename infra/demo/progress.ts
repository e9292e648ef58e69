import { MultiBar, Presets } from "cli-progress";

/** How far a run has come. */
interface Counts {
  /** Events that Kafka has acknowledged. */
  readonly published: number;
  /** Events in the books. */
  readonly metered: number;
  readonly lowBalances: number;
}

export interface ProgressView {
  show(counts: Counts): void;
  /** A line that stays on the screen, above a bar. */
  say(line: string): void;
  stop(): void;
}

const LINE_EVERY_MS = 5_000;
const RATE_OVER_MS = 5_000;

/** A bar on a terminal, else a line every few seconds. */
export function openProgress(events: number, say: (line: string) => void): ProgressView {
  return process.stderr.isTTY ? bar(events) : lines(events, say);
}

function bar(events: number): ProgressView {
  const bars = new MultiBar(
    {
      format:
        "{bar} {metered} of {total} metered, {published} published, {rate}/s, {lowBalances} low",
      barsize: 20, // all of it fits into 80 columns
      hideCursor: true,
    },
    Presets.shades_classic,
  );
  const rateOf = rateMeter();
  const shown = bars.create(events, 0, { published: 0, metered: 0, lowBalances: 0, rate: 0 });
  return {
    show: (counts) => shown.update(counts.metered, { ...counts, rate: rateOf(counts.metered) }),
    say: (line) => bars.log(`${line}\n`),
    stop: () => bars.stop(),
  };
}

function lines(events: number, say: (line: string) => void): ProgressView {
  let saidAt = performance.now();
  const rateOf = rateMeter();
  return {
    show({ published, metered, lowBalances }) {
      const rate = rateOf(metered);
      if (performance.now() - saidAt < LINE_EVERY_MS) return;
      saidAt = performance.now();
      say(
        `  ${metered} of ${events} events metered, ${published} published, ${rate}/s, ${lowBalances} low balances`,
      );
    },
    say,
    stop: () => undefined,
  };
}

/** Whole events per second over the last few seconds; to be told the count each time it is asked. */
function rateMeter(): (count: number) => number {
  let samples = [{ at: performance.now(), count: 0 }];
  return (count) => {
    const now = { at: performance.now(), count };
    const recent = samples.filter(({ at }) => now.at - at < RATE_OVER_MS);
    const from = recent[0] ?? samples.at(-1) ?? now;
    samples = [...recent, now];
    return Math.round(((count - from.count) * 1000) / Math.max(now.at - from.at, 1));
  };
}
