import { type ReadonlySignal, signal } from "@preact/signals";
import type { OperationsData } from "../../../shared/contract/operations.ts";
import { Problem, request } from "../api/request.ts";

/** The recent readings, newest last, and why the last attempt failed. */
export interface Watched {
  readonly history: readonly OperationsData[];
  readonly problem: Problem | null;
}

const EVERY_MS = 2000;
const KEPT = 90;

/**
 * Loads the operations every two seconds while the page is visible, until the key is refused: then `refused`
 * is called with the reason.
 */
export function watchOperations(
  key: string,
  refused: (reason: string) => void,
): ReadonlySignal<Watched> {
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
      if (problem?.status === 401 || problem?.status === 403) return refused(problem.message);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  };
  void follow();
  return watched;
}
