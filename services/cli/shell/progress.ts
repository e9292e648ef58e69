import { SingleBar } from "cli-progress";

/** Shows how much is done, and lets other lines pass above. */
export interface Progress {
  add(amount: number): void;
  /** Something to say on standard error. */
  say(line: string): void;
  stop(): void;
}

/**
 * A bar on a terminal, and nothing where nobody watches or the total is not known. `inWords` says
 * what all of it is: "12.5 MB". With a `unit`, how many of them pass in a second is shown.
 */
export function openProgress(total: number | null, inWords: string, unit?: string): Progress {
  const write = (line: string) => void process.stderr.write(`${line}\n`);
  if (total === null || !process.stderr.isTTY) {
    return { add: () => undefined, say: write, stop: () => undefined };
  }
  const bar = new SingleBar({
    format: `[{bar}] {percentage} % of {inWords}, ${unit === undefined ? "" : `{speed} ${unit}/s, `}{eta_formatted} left`,
    stream: process.stderr,
    clearOnComplete: true,
    etaBuffer: 50,
  });
  bar.start(total, 0, { inWords, speed: "-" });
  const startedAt = performance.now();
  let done = 0;
  return {
    add(amount) {
      done += amount;
      const speed = Math.round((done * 1000) / (performance.now() - startedAt));
      bar.increment(amount, { speed: speed.toLocaleString("en-US") });
    },
    say(line) {
      // Over the bar, which comes again below with its next step.
      process.stderr.write("\r\x1b[K");
      write(line);
    },
    stop: () => bar.stop(),
  };
}
