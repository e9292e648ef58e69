/** Usage as a product service reports it. */
export interface Usage {
  readonly accountId: string;
  readonly meter: string;
  /** In the meter's smallest whole unit, at least 0. */
  readonly quantity: bigint | number;
  /** Identifies the event within the account: a repeat is dropped. Default: a new UUIDv7. */
  readonly eventId?: string;
  /** A number is milliseconds since 1970. Default: now. */
  readonly occurredAt?: Date | number;
  readonly source?: string;
  readonly dimensions?: Readonly<Record<string, string>>;
}
