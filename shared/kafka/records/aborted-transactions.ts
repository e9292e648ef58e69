import { isControl, isInTransaction, type RecordBatch } from "./record-batch.ts";
import type { RecordTable } from "./record-table.ts";

/** A transaction that was aborted, as a fetch names those whose batches it has. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: bigint;
}

/** Of the key of a control record: its version, then what it is in 16 bits. */
const MARKER_AT = 2;
const ABORT = 0;

/**
 * Knows the batches of aborted transactions in a partition's log, which it is shown in order. KafkaJS
 * (2.2.4) knows too few of them when a fetch begins within several transactions. Source: Kafka's consumer
 * in Java.
 */
export class AbortedTransactions {
  readonly #ahead: AbortedTransaction[];
  readonly #producers = new Set<string>();

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#ahead = transactions.toSorted((a, b) => Number(a.firstOffset - b.firstOffset));
  }

  /** True for a batch whose messages no one may see. */
  hasBatch(batch: RecordBatch): boolean {
    for (let next = this.#ahead[0]; next !== undefined; next = this.#ahead[0]) {
      if (next.firstOffset > batch.lastOffset) break;
      this.#producers.add(next.producerId);
      this.#ahead.shift();
    }
    return isInTransaction(batch) && !isControl(batch) && this.#producers.has(batch.producerId);
  }

  /** Call it for each batch that was read. */
  passed(batch: RecordBatch, records: RecordTable): void {
    if (!isControl(batch) || this.#producers.size === 0 || records.count === 0) return;
    const { key } = records.message(0);
    const isAbort = key !== null && key.length >= 4 && key.readInt16BE(MARKER_AT) === ABORT;
    if (isAbort) this.#producers.delete(batch.producerId);
  }
}
