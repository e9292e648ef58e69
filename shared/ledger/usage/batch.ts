import type { Instant } from "../../core/line/account.ts";
import type { MicroCredits } from "../../core/line/credit-line.ts";
import type { UsageColumns } from "../../core/usage/usage-columns.ts";
import type { Reader } from "../books/consumer-offset.ts";
import type { DeadLetter } from "./dead-letters.ts";

/** What one transaction meters: a run of messages of one partition, or of several. */
export interface UsageBatch {
  readonly reader: Reader;
  readonly now: Instant;
  /** The events of all runs that `rejectEvent` accepted. */
  readonly columns: UsageColumns;
  /** One for each partition. */
  readonly runs: readonly UsageRun[];
  /** Repeats are likely: look identities up before writing instead of after a failed write. */
  readonly expectRepeats: boolean;
  /** Told when each step of the transaction has ended, of every try. */
  onStep?(step: DebitStep): void;
}

/** `decode`: before it begins; `lock`: its partitions' offsets; `lost`: a try that came second. */
export const DEBIT_STEPS = [
  "decode",
  "lock",
  "read",
  "price",
  "move",
  "write",
  "commit",
  "lost",
] as const;
export type DebitStep = (typeof DEBIT_STEPS)[number];

/** A run of messages of one partition. */
export interface UsageRun {
  readonly partition: number;
  /** The offset that the fetch asked for: everything from here to `nextOffset` is in the run. */
  readonly fetchedFrom: bigint;
  /** The first offset after the run. */
  readonly nextOffset: bigint;
  /** Its events are at the places `[from, to)` of the columns, in offset order. */
  readonly from: number;
  readonly to: number;
  /** Messages already known to be invalid. */
  readonly deadLetters: readonly DeadLetter[];
  /** The message at an offset, for events that are rejected later. */
  messageAt(offset: bigint): { readonly key: Buffer | null; readonly value: Buffer };
}

export interface DebitOutcome {
  /** The outcome of each run, in order. */
  readonly runs: readonly RunOutcome[];
  readonly metered: number;
  readonly repeats: number;
  readonly deadLetters: number;
  /** The dead letters by reason. */
  readonly rejected: ReadonlyMap<string, number>;
  readonly lowBalances: number;
  /** What the metered events drew. */
  readonly credits: MicroCredits;
}

export type RunOutcome =
  | { readonly kind: "committed" }
  /** The books have read past the run, by this consumer or by one that took the partition over. */
  | { readonly kind: "read_before"; readonly nextOffset: bigint }
  /** The books have not read up to where the run starts; read from `nextOffset`. */
  | { readonly kind: "gap"; readonly nextOffset: bigint };

/** A batch's offsets as text, for logs and errors. */
export function describeBatch({ reader, runs }: UsageBatch): string {
  return runs
    .map((run) => `${reader.topic}/${run.partition} from ${run.fetchedFrom} to ${run.nextOffset}`)
    .join(", ");
}
