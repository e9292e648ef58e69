/** What a page knows live of an account: its credit line, and whether the stream that tells it stands. */
export interface LiveState {
  readonly connection: Connection;
  readonly line: LiveLine | null;
  /** When the stream was last heard, in milliseconds since 1970: until then the line was right. */
  readonly heardAt: number | null;
}

/** `refused`: the token opens nothing any more, and no other attempt is made. */
type Connection = "connecting" | "live" | "reconnecting" | "refused";

/** The credit line at one version of the account, in micro-credits. */
export interface LiveLine {
  readonly version: bigint;
  readonly granted: bigint;
  readonly position: bigint;
  readonly changedAt: number | null;
}

/** What an event or an answer leaves to be read again, since it is not in it. */
export type Stale = "account" | "lots" | "entries" | "payments" | "usage";

/** What happened on the stream. */
export type StreamNews =
  | { readonly kind: "heard" }
  | { readonly kind: "lost" }
  | { readonly kind: "refused" }
  | { readonly kind: "event"; readonly event: string; readonly data: string };

export const UNHEARD: LiveState = { connection: "connecting", line: null, heardAt: null };

const ALL: readonly Stale[] = ["account", "lots", "entries", "payments", "usage"];
const NOTHING: readonly Stale[] = [];

/** The state after news from the stream, and what is to be read again because of it. */
export function afterNews(
  state: LiveState,
  news: StreamNews,
  now: number,
): { state: LiveState; stale: readonly Stale[] } {
  switch (news.kind) {
    case "heard":
      return { state: heard(state, now), stale: missed(state) };
    case "lost":
      return { state: { ...state, connection: "reconnecting" }, stale: NOTHING };
    case "refused":
      return { state: { ...state, connection: "refused" }, stale: NOTHING };
    case "event": {
      const after = afterEvent(heard(state, now), news);
      const stale = missed(state);
      return { state: after.state, stale: stale.length > 0 ? stale : after.stale };
    }
  }
}

function heard(state: LiveState, now: number): LiveState {
  return { ...state, connection: "live", heardAt: now };
}

/** A stream that stands again tells what it missed; whatever it tells not is read again. */
function missed(state: LiveState): readonly Stale[] {
  return state.connection === "reconnecting" ? ALL : NOTHING;
}

/** The state after a line was read or told: only a newer version moves it. */
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
      // A month that turns brings its fee with its credits, and nothing else tells of fees.
      return { state, stale: ["account", "lots", "entries", "payments"] };
    case "top_up":
      // A notice may pause or stop auto top-up, which stands on the account.
      return { state, stale: ["account", "payments"] };
    case "reload":
      return { state, stale: ALL };
    default:
      return { state, stale: NOTHING };
  }
}

/** Reads a line out of an event's data; null when it is none. */
function lineOf(data: string): LiveLine | null {
  try {
    const { version, granted, position, changed_at } = JSON.parse(data);
    const changedAt = Date.parse(changed_at);
    return {
      version: BigInt(version),
      granted: BigInt(granted),
      position: BigInt(position),
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
  return stale;
}
