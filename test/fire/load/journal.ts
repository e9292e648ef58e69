import { createWriteStream } from "node:fs";
import type { Planned, Usage } from "./event.ts";
import { isUsage } from "./event.ts";

/** What was published, in memory and, appended, in a file that can be read. */
export interface Journal {
  readonly file: string;
  /** Written before it is sent. */
  readonly sent: readonly Planned[];
  readonly counts: ReadonlyMap<string, number>;
  add(planned: Planned, way: "kafka" | "http"): void;
  close(): Promise<void>;
}

export function openJournal(file: string): Journal {
  const stream = createWriteStream(file, { flags: "a" });
  const sent: Planned[] = [];
  const counts = new Map<string, number>();
  return {
    ...{ file, sent, counts },
    add(planned, way) {
      sent.push(planned);
      const name = way === "http" ? "over HTTP" : planned.kind;
      counts.set(name, (counts.get(name) ?? 0) + 1);
      const { kind } = planned;
      const what = isUsage(planned)
        ? written(planned.usage)
        : { key: planned.key, bytes: planned.bytes.toString("base64") };
      stream.write(`${JSON.stringify({ way, kind, ...what })}\n`);
    },
    close: () => new Promise((done) => stream.end(done)),
  };
}

function written(usage: Usage): object {
  return { ...usage, quantity: String(usage.quantity), occurred_at: Number(usage.occurred_at) };
}
