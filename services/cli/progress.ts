import { SingleBar } from "cli-progress";

/** Shows how much of a file is done, and lets other lines pass above. */
export interface Progress {
  add(bytes: number): void;
  /** Something to say on standard error. */
  say(line: string): void;
  stop(): void;
}

/** A bar on a terminal, and nothing where nobody watches or the size is not known. */
export function openProgress(totalBytes: number | null): Progress {
  const write = (line: string) => void process.stderr.write(`${line}\n`);
  if (totalBytes === null || !process.stderr.isTTY) {
    return { add: () => undefined, say: write, stop: () => undefined };
  }
  const bar = new SingleBar({
    format: "[{bar}] {percentage} % of {megabytes} MB, {eta_formatted} left",
    stream: process.stderr,
    clearOnComplete: true,
    etaBuffer: 50,
  });
  bar.start(totalBytes, 0, { megabytes: (totalBytes / 1e6).toFixed(1) });
  return {
    add: (bytes) => bar.increment(bytes),
    say(line) {
      // Over the bar, which comes again below with its next step.
      process.stderr.write("\r\x1b[K");
      write(line);
    },
    stop: () => bar.stop(),
  };
}
