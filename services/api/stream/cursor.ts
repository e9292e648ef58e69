/**
 * What a listener has received of an account: the version of its state, its entries and its top-ups.
 * It is the id of every event, so a listener can resume at any process after any break.
 */
export interface StreamCursor {
  readonly version: bigint;
  readonly entries: bigint;
  readonly topUps: bigint;
}

const CURSOR = /^(\d{1,19})\.(\d{1,19})\.(\d{1,19})$/;

export function cursorText({ version, entries, topUps }: StreamCursor): string {
  return `${version}.${entries}.${topUps}`;
}

/** Null if the text is not the id of an event of a stream. */
export function readCursor(text: string): StreamCursor | null {
  const [, version, entries, topUps] = CURSOR.exec(text) ?? [];
  if (version === undefined || entries === undefined || topUps === undefined) return null;
  return { version: BigInt(version), entries: BigInt(entries), topUps: BigInt(topUps) };
}
