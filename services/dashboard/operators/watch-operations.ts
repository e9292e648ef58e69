import { type ReadonlySignal, signal } from "@preact/signals";
import { Problem, request } from "../api/request.ts";

/** What the API tells operators of the whole. */
export interface OperationsData {
  readonly events_per_second: number;
  readonly lag: string | number;
  readonly balance_delay_ms: { readonly p50: number | null; readonly p99: number | null };
  readonly dead_letters: readonly { readonly reason: string; readonly count: string | number }[];
  readonly top_ups: readonly { readonly status: string; readonly count: string | number }[];
  readonly scheduler: { readonly due: string | number; readonly oldest_due_at: string | null };
  readonly outbox: string | number;
  /** What the scheduler has last proved of usage; null: nothing yet. */
  readonly reconciliation: {
    readonly at: string;
    readonly messages: string;
    readonly verified: string;
    readonly differences: string;
  } | null;
  readonly at: string;
}

/** What was read last, the one before it for what has changed, and why the last attempt failed. */
export interface Watched {
  readonly history: readonly OperationsData[];
  readonly problem: Problem | null;
}

const EVERY_MS = 2000;
const KEPT = 90;

/** Reads the operations every two seconds for as long as the page is looked at. */
export function watchOperations(key: string): ReadonlySignal<Watched> {
  const watched = signal<Watched>({ history: [], problem: null });
  const read = async (): Promise<void> => {
    try {
      const data = await request<OperationsData>(key, "/v1/operations");
      const history = [...watched.value.history, data].slice(-KEPT);
      watched.value = { history, problem: null };
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem(0, String(error));
      watched.value = { ...watched.value, problem };
    }
  };
  const follow = async (): Promise<void> => {
    for (;;) {
      if (document.visibilityState === "visible") await read();
      const { problem } = watched.value;
      if (problem?.status === 401 || problem?.status === 403) return;
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  };
  void follow();
  return watched;
}
