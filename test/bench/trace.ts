/** Where the time of metering's transactions went. Instants and durations are in milliseconds. */
export interface Trace {
  readonly transactions: TracedTransaction[];
  /** Of garbage collection. */
  readonly pauses: Stretch[];
}

export interface TracedTransaction {
  readonly batches: readonly Handed[];
  readonly beganAt: number;
  readonly steps: readonly Step[];
  readonly committedAt: number;
}

/** A batch of a partition as the consumer handed it over. */
export interface Handed {
  readonly partition: number;
  readonly lastOffset: number;
  /** When the fetch that brought it was sent, and when it was answered. */
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly handedAt: number;
  /** How long the thread was busy, from the hand-over to the commit. */
  readonly busyMs: number;
}

interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** A statement, from sending it to its answer. */
export interface Step extends Stretch {
  readonly name: string;
}

/** A published event, by its place in Kafka. */
export interface Published {
  readonly partition: number;
  readonly offset: number;
  readonly publishedAt: number;
}

/** How long each step took, event by event; the steps add up to the total. */
export interface Breakdown {
  readonly steps: ReadonlyMap<string, readonly number[]>;
  readonly total: readonly number[];
  /** Within the total: the thread busy from the hand-over on, and collecting garbage. */
  readonly busy: readonly number[];
  readonly collecting: readonly number[];
}

/** Lays the time of each event, from publishing to its committed transaction, on the steps of the trace. */
export function breakDown(
  events: readonly Published[],
  { transactions, pauses }: Trace,
): Breakdown {
  const find = finder(transactions);
  const found = events.flatMap((event) => {
    const place = find(event);
    return place === undefined ? [] : [{ event, ...place }];
  });
  const times = found.map(({ event, batch, transaction }) => timesOf(event, batch, transaction));
  const names = new Set(times.flatMap((ofEvent) => [...ofEvent.keys()]));
  return {
    steps: new Map(
      [...names].map((name) => [name, times.map((ofEvent) => ofEvent.get(name) ?? 0)]),
    ),
    total: found.map(({ event, transaction }) => transaction.committedAt - event.publishedAt),
    busy: found.map(({ batch }) => batch.busyMs),
    collecting: found.map(({ event, transaction }) =>
      overlap(pauses, { from: event.publishedAt, to: transaction.committedAt }),
    ),
  };
}

interface Place {
  readonly batch: Handed;
  readonly transaction: TracedTransaction;
}

/** Finds the batch that an event came in: the first of its partition that ends at or after its offset. */
function finder(
  transactions: readonly TracedTransaction[],
): (event: Published) => Place | undefined {
  const ofPartition = new Map<number, Place[]>();
  for (const transaction of transactions) {
    for (const batch of transaction.batches) {
      const places = ofPartition.get(batch.partition) ?? [];
      places.push({ batch, transaction });
      ofPartition.set(batch.partition, places);
    }
  }
  return ({ partition, offset }) => {
    const places = ofPartition.get(partition) ?? [];
    let [low, high] = [0, places.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((places[middle]?.batch.lastOffset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return places[low];
  };
}

function timesOf(
  event: Published,
  batch: Handed,
  { beganAt, steps, committedAt }: TracedTransaction,
): Map<string, number> {
  const times = new Map([
    ["published, before its fetch is sent", Math.max(0, batch.askedAt - event.publishedAt)],
    ["published and fetched", batch.answeredAt - Math.max(batch.askedAt, event.publishedAt)],
    ["handed over", batch.handedAt - batch.answeredAt],
    ["joined and decoded", beganAt - batch.handedAt],
  ]);
  let between = committedAt - beganAt;
  for (const { name, from, to } of steps) {
    times.set(name, (times.get(name) ?? 0) + to - from);
    between -= to - from;
  }
  return times.set("between statements", between);
}

function overlap(pauses: readonly Stretch[], { from, to }: Stretch): number {
  let sum = 0;
  for (const pause of pauses) {
    sum += Math.max(0, Math.min(to, pause.to) - Math.max(from, pause.from));
  }
  return sum;
}
