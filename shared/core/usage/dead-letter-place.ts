/** Where a dead letter was read; it identifies the dead letter. */
export interface DeadLetterPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** Formats a place: `usage.events/2/1041`. */
export function placeText({ topic, partition, offset }: DeadLetterPlace): string {
  return `${topic}/${partition}/${offset}`;
}
