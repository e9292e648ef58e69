/** Where a dead letter was read; it identifies the dead letter. */
export interface DeadLetterPlace {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** What a topic's name consists of. Source: Kafka's rule for names. */
export const TOPIC_NAME = /^[A-Za-z0-9._-]{1,249}$/;
export const MAX_PARTITION = 2 ** 31 - 1;

/** Formats a place: `usage.events/2/1041`. */
export function placeText({ topic, partition, offset }: DeadLetterPlace): string {
  return `${topic}/${partition}/${offset}`;
}
