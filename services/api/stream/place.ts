/**
 * How far a listener has heard of an account: the version of its state, its entries and its top-ups.
 * It is the id of every event, so a listener can go on at any process after any pause.
 */
export interface Place {
  readonly version: bigint;
  readonly entries: bigint;
  readonly topUps: bigint;
}

const PLACE = /^(\d{1,19})\.(\d{1,19})\.(\d{1,19})$/;

export function placeText({ version, entries, topUps }: Place): string {
  return `${version}.${entries}.${topUps}`;
}

/** Null: it is the id of no event of ours. */
export function readPlace(text: string): Place | null {
  const [, version, entries, topUps] = PLACE.exec(text) ?? [];
  if (version === undefined || entries === undefined || topUps === undefined) return null;
  return { version: BigInt(version), entries: BigInt(entries), topUps: BigInt(topUps) };
}
