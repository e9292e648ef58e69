import { type AbortedTransaction, AbortedTransactions } from "./aborted-transactions.ts";
import { ByteReader } from "./byte-reader.ts";
import { eachMessage, type HandMessages } from "./handed-messages.ts";
import { type ReadBatch, type ReadLimits, readBatch, recordsToRead } from "./read-batch.ts";
import { type FetchedMessage, type RecordBatch, recordBatches } from "./record-batch.ts";

/** A response to a fetch, in the form that KafkaJS's consumer takes. */
export interface FetchResponse {
  readonly throttleTime: 0;
  readonly clientSideThrottleTime: number;
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly FetchedPartition[];
  }[];
}

interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  /** Their batches are left out before KafkaJS sees them. */
  readonly abortedTransactions: readonly never[];
  readonly preferredReadReplica: number;
  messages: readonly FetchedMessage[];
}

/** A partition whose log is still to be read. */
interface UnreadPartition extends FetchedPartition {
  readonly topic: string;
  readonly log: Buffer;
  readonly aborted: readonly AbortedTransaction[];
}

/** The versions of the response with record batches, as KafkaJS knows them. */
export const READABLE_VERSIONS = { from: 4, to: 11 } as const;

/** What it took to read a response so far. */
interface Spent {
  bytes: number;
  records: number;
}

/** A batch that is refused, with the reason. */
export interface RefusedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly refusal: string;
}

/**
 * Makes a decoder of responses that unpacks within limits. What a response holds beyond them is left out,
 * as if the fetch had been smaller; the next response begins with the partition that was left out, so that
 * none starves. At least one batch is read. `hand`: what KafkaJS is given of each batch.
 */
export function fetchDecoder(
  limits: ReadLimits,
  onRefused: (batch: RefusedBatch) => void,
  hand: HandMessages = eachMessage,
): (bytes: Buffer, version: number) => Promise<FetchResponse> {
  let leftOut = "";

  return async (bytes, version) => {
    const { response, partitions } = parse(bytes, version);
    const start = Math.max(
      0,
      partitions.findIndex((partition) => nameOf(partition) === leftOut),
    );
    leftOut = "";
    const spent = { bytes: 0, records: 0 };
    for (const partition of [...partitions.slice(start), ...partitions.slice(0, start)]) {
      if (!(await readPartition(partition, spent))) {
        leftOut = nameOf(partition);
        break;
      }
    }
    return response;
  };

  /** False: the limits are reached before the end of its log. */
  async function readPartition(fetched: UnreadPartition, spent: Spent): Promise<boolean> {
    const messages: FetchedMessage[] = [];
    const aborted = new AbortedTransactions(fetched.aborted);
    fetched.messages = messages;
    for (const batch of recordBatches(fetched.log)) {
      if (isFull(spent, batch)) return false;
      const read = aborted.hasBatch(batch) ? null : await readBatch(batch, limits);
      for (const message of hand(batch, read)) messages.push(message);
      if (read === null) continue;
      aborted.passed(batch, read.records);
      count(fetched, read, spent);
    }
    return true;
  }

  function count({ topic, partition }: UnreadPartition, read: ReadBatch, spent: Spent): void {
    spent.bytes += read.spent.bytes;
    spent.records += read.spent.records;
    if (read.refusal !== null) onRefused({ topic, partition, refusal: read.refusal });
  }

  function isFull(spent: Spent, batch: RecordBatch): boolean {
    if (spent.bytes >= limits.responseBytes) return true;
    return (
      spent.records > 0 && spent.records + recordsToRead(batch, limits) > limits.responseRecords
    );
  }
}

function nameOf({ topic, partition }: UnreadPartition): string {
  return `${topic}/${partition}`;
}

/** The response with its partitions still unread. */
function parse(bytes: Buffer, version: number) {
  const reader = new ByteReader(bytes);
  const clientSideThrottleTime = reader.int32();
  if (version >= 7) reader.take(2 + 4);
  const partitions: UnreadPartition[] = [];
  const responses = reader.array(() => {
    const topic = reader.text();
    const ofTopic = reader.array(() => parsePartition(reader, topic, version));
    partitions.push(...ofTopic);
    return { topicName: topic, partitions: ofTopic };
  });
  const response: FetchResponse = { throttleTime: 0, clientSideThrottleTime, responses };
  return { response, partitions };
}

function parsePartition(reader: ByteReader, topic: string, version: number): UnreadPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64().toString();
  reader.int64();
  if (version >= 5) reader.int64();
  const aborted = reader.array(() => ({
    producerId: reader.int64().toString(),
    firstOffset: reader.int64(),
  }));
  const preferredReadReplica = version >= 11 ? reader.int32() : -1;
  const log = reader.take(Math.max(0, reader.int32()));
  return {
    ...{ topic, partition, errorCode, highWatermark, preferredReadReplica },
    ...{ log, aborted, abortedTransactions: [], messages: [] },
  };
}
