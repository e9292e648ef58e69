/** What happened, in order, each line with the seconds since the beginning. */
export interface History {
  readonly lines: readonly string[];
  note(line: string): void;
}

/** `tell` hears every line as it comes. */
export function openHistory(tell: (line: string) => void): History {
  const began = performance.now();
  const lines: string[] = [];
  return {
    lines,
    note(line) {
      const at = ((performance.now() - began) / 1000).toFixed(1).padStart(7);
      lines.push(`${at}  ${line}`);
      tell(`${at}  ${line}`);
    },
  };
}
