/** A meter that an event used, and how much of it, in the meter's smallest whole unit. */
export interface EventLine {
  readonly meter: string;
  readonly quantity: bigint;
}

/** Quantities by meter. */
export type Quantities = Readonly<Record<string, bigint>>;

export const NO_QUANTITIES: Quantities = Object.freeze({});

/** What an event used: of its meter, and of further ones. */
export interface UsedMeters extends EventLine {
  readonly quantities: Quantities;
}

/**
 * The lines of an event, in the order in which they draw: its meter and quantity, then the further ones by name.
 * Together they are one stretch of the credit line.
 */
export function linesOf(event: UsedMeters): readonly EventLine[] {
  const { meter, quantity, quantities } = event;
  const first = { meter, quantity };
  if (isOfOneMeter(event)) return [first];
  const further = Object.keys(quantities).sort();
  return [first, ...further.map((name) => ({ meter: name, quantity: quantities[name] ?? 0n }))];
}

function isOfOneMeter({ quantities }: Pick<UsedMeters, "quantities">): boolean {
  for (const _ in quantities) return false;
  return true;
}
