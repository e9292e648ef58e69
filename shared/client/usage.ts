/** Usage as a product service reports it. */
export interface Usage {
  readonly accountId: string;
  readonly meter: string;
  /** In the meter's smallest whole unit, at least 0. */
  readonly quantity: bigint | number;
  /** With account and source, the event's identity: a repeat is dropped. Default: a new UUIDv7. */
  readonly eventId?: string;
  /**
   * A number is milliseconds since 1970. Default: now. State it with an `eventId` that may be published
   * again: at another time it would be a conflict.
   */
  readonly occurredAt?: Date | number;
  readonly source?: string;
  readonly dimensions?: Readonly<Record<string, string>>;
  /**
   * Quantities of up to 15 further meters, by meter: the tokens of a request by their kind. They are metered with
   * the event, all or nothing, under its one identity.
   */
  readonly quantities?: Readonly<Record<string, bigint | number>>;
  /** The account's hold that it uses. Metered it is in any case. */
  readonly holdId?: string | null;
}
