/** Where a dead letter was read; no two have the same place. */
export interface DeadLetterPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** `usage.events/2/1041`: how a place is written. */
export function placeText({ topic, partition, offset }: DeadLetterPlace): string {
  return `${topic}/${partition}/${offset}`;
}
