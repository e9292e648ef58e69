import { MultiBar, Presets } from "cli-progress";
import { stopWithProcess } from "../../shared/runtime/stop-with-process.ts";

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
  /** Writes a line that stays on the screen, above a bar. */
  say(line: string): void;
  stop(): void;
}

const LINE_EVERY_MS = 5_000;
const RATE_OVER_MS = 5_000;

/** A bar on a terminal, otherwise a line every few seconds. */
export function openProgress(events: number, say: (line: string) => void): ProgressView {
  const { show, ...view } = process.stderr.isTTY ? bar(events) : lines(events, say);
  const rateOf = rateMeter();
  return { ...view, show: (counts) => show({ ...counts, rate: rateOf(counts.metered) }) };
}

interface RatedView extends Omit<ProgressView, "show"> {
  show(counts: Counts & { readonly rate: number }): void;
}

function bar(events: number): RatedView {
  const bars = new MultiBar(
    {
      format:
        "{bar} {metered} of {total} metered, {published} published, {rate}/s, {lowBalances} low",
      barsize: 20, // fits into 80 columns
      hideCursor: true,
    },
    Presets.shades_classic,
  );
  const release = stopWithProcess(() => bars.stop());
  const shown = bars.create(events, 0, { published: 0, metered: 0, lowBalances: 0, rate: 0 });
  return {
    show: (counts) => shown.update(counts.metered, counts),
    say: (line) => bars.log(`${line}\n`),
    stop() {
      release();
      bars.stop();
    },
  };
}

function lines(events: number, say: (line: string) => void): RatedView {
  let lastAt = performance.now();
  return {
    show({ published, metered, lowBalances, rate }) {
      if (performance.now() - lastAt < LINE_EVERY_MS) return;
      lastAt = performance.now();
      say(
        `  ${metered} of ${events} events metered, ${published} published, ${rate}/s, ${lowBalances} low balances`,
      );
    },
    say,
    stop: () => undefined,
  };
}

/** Events per second over the last few seconds, given the count at each call. */
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
