/** The credit line of an account, and the state of the stream that updates it. */
export interface LiveState {
  readonly connection: Connection;
  readonly line: LiveLine | null;
  /** When the stream last sent something, in milliseconds since 1970; the line was correct then. */
  readonly receivedAt: number | null;
}

/** `refused`: the token is no longer valid, and no further attempt is made. */
type Connection = "connecting" | "live" | "reconnecting" | "refused";

/** The credit line at one version of the account, in micro-credits. */
export interface LiveLine {
  readonly version: bigint;
  readonly granted: bigint;
  readonly position: bigint;
  /** What open holds set aside. */
  readonly held: bigint;
  readonly changedAt: number | null;
}

/** Data that must be reloaded, since an event does not contain it. */
export type Stale = "account" | "lots" | "entries" | "payments" | "usage" | "budgets";

export type StreamNews =
  | { readonly kind: "alive" }
  | { readonly kind: "lost" }
  | { readonly kind: "refused" }
  | { readonly kind: "event"; readonly event: string; readonly data: string };

export const NOT_CONNECTED: LiveState = { connection: "connecting", line: null, receivedAt: null };

const ALL: readonly Stale[] = ["account", "lots", "entries", "payments", "usage", "budgets"];
const NOTHING: readonly Stale[] = [];

/** The state after news from the stream, and what must be reloaded. */
export function afterNews(
  state: LiveState,
  news: StreamNews,
  now: number,
): { state: LiveState; stale: readonly Stale[] } {
  switch (news.kind) {
    case "alive":
      return { state: received(state, now), stale: missed(state) };
    case "lost":
      return { state: { ...state, connection: "reconnecting" }, stale: NOTHING };
    case "refused":
      return { state: { ...state, connection: "refused" }, stale: NOTHING };
    case "event": {
      const after = afterEvent(received(state, now), news);
      const stale = missed(state);
      return { state: after.state, stale: stale.length > 0 ? stale : after.stale };
    }
  }
}

function received(state: LiveState, now: number): LiveState {
  return { ...state, connection: "live", receivedAt: now };
}

/** After a break everything is reloaded, since the stream does not replay all of it. */
function missed(state: LiveState): readonly Stale[] {
  return state.connection === "reconnecting" ? ALL : NOTHING;
}

/** The state after a line was received; an older version changes nothing. */
export function afterLine(state: LiveState, line: LiveLine): LiveState {
  return state.line !== null && line.version <= state.line.version ? state : { ...state, line };
}

function afterEvent(
  state: LiveState,
  { event, data }: { event: string; data: string },
): { state: LiveState; stale: readonly Stale[] } {
  switch (event) {
    case "balance": {
      const line = lineOf(data);
      if (line === null) return { state, stale: NOTHING };
      const next = afterLine(state, line);
      return { state: next, stale: staleAfter(state.line, next.line) };
    }
    case "credits":
      // A new month brings a fee with its credits, and fees have no event of their own.
      return { state, stale: ["account", "lots", "entries", "payments"] };
    case "top_up":
      // It may pause or stop auto top-up, which is part of the account.
      return { state, stale: ["account", "payments"] };
    case "reload":
      return { state, stale: ALL };
    default:
      return { state, stale: NOTHING };
  }
}

/** Reads a line from an event's data; null if it is invalid. */
function lineOf(data: string): LiveLine | null {
  try {
    const { version, granted, position, held = "0", changed_at } = JSON.parse(data);
    const changedAt = Date.parse(changed_at);
    return {
      version: BigInt(version),
      granted: BigInt(granted),
      position: BigInt(position),
      held: BigInt(held),
      changedAt: Number.isNaN(changedAt) ? null : changedAt,
    };
  } catch {
    return null;
  }
}

function staleAfter(before: LiveLine | null, after: LiveLine | null): readonly Stale[] {
  if (before === null || after === null || before === after) return NOTHING;
  const stale: Stale[] = [];
  if (before.granted !== after.granted) stale.push("lots");
  if (before.position !== after.position) stale.push("usage");
  // What is spent of them is reloaded with usage.
  else if (before.held !== after.held) stale.push("budgets");
  return stale;
}
