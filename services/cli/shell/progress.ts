import { SingleBar } from "cli-progress";
import { countText } from "../../../shared/core/text/text.ts";
import { stopWithProcess } from "../../../shared/runtime/stop-with-process.ts";

/** Shows how much is done, with other lines above it. It stops at the end of its scope. */
export interface Progress extends Disposable {
  add(amount: number): void;
  /** Writes a line to standard error. */
  log(line: string): void;
  stop(): void;
}

/**
 * A bar on a terminal; nothing elsewhere, or when the total is not known. `inWords` is the total as
 * text: "12.5 MB". With a `unit`, the bar shows how many are done per second.
 */
export function openProgress(total: number | null, inWords: string, unit?: string): Progress {
  const write = (line: string) => void process.stderr.write(`${line}\n`);
  if (total === null || !process.stderr.isTTY) {
    const nothing = () => undefined;
    return { add: nothing, log: write, stop: nothing, [Symbol.dispose]: nothing };
  }
  const bar = new SingleBar({
    format: `[{bar}] {percentage} % of {inWords}, ${unit === undefined ? "" : `{speed} ${unit}/s, `}{eta_formatted} left`,
    stream: process.stderr,
    clearOnComplete: true,
    etaBuffer: 50,
  });
  const release = stopWithProcess(() => bar.stop());
  bar.start(total, 0, { inWords, speed: "-" });
  const stop = () => {
    release();
    bar.stop();
  };
  const startedAt = performance.now();
  let done = 0;
  return {
    add(amount) {
      done += amount;
      const speed = Math.round((done * 1000) / (performance.now() - startedAt));
      bar.increment(amount, { speed: countText(speed) });
    },
    log(line) {
      // Clears the bar; its next step draws it again below the line.
      process.stderr.write("\r\x1b[K");
      write(line);
    },
    stop,
    [Symbol.dispose]: stop,
  };
}
