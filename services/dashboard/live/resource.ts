import { type ReadonlySignal, signal } from "@preact/signals";
import { Problem } from "../api/request.ts";

/** The loaded value, if any, and why the last attempt failed, if it did. */
export interface Loaded<T> {
  readonly value: T | null;
  readonly problem: Problem | null;
  readonly loading: boolean;
}

/** Data loaded from the API, and reloaded when it changes. */
export interface Resource<T> {
  readonly state: ReadonlySignal<Loaded<T>>;
  /** Loads it again, keeping the current value until the answer arrives. Never throws. */
  readonly reload: () => Promise<void>;
}

/**
 * A resource that is not loaded yet. An answer overtaken by a later one is dropped, so that the value
 * never goes back. Calls `refused` if the token is no longer valid.
 */
export function resource<T>(
  load: (shown: T | null) => Promise<T>,
  refused: () => void,
): Resource<T> {
  const state = signal<Loaded<T>>({ value: null, problem: null, loading: true });
  let attempts = 0;
  return {
    state,
    async reload() {
      attempts++;
      const mine = attempts;
      state.value = { ...state.peek(), loading: true };
      try {
        const value = await load(state.peek().value);
        if (mine === attempts) state.value = { value, problem: null, loading: false };
      } catch (error) {
        const problem = error instanceof Problem ? error : new Problem(0, String(error));
        if (problem.status === 401) refused();
        if (mine === attempts) state.value = { ...state.peek(), problem, loading: false };
      }
    },
  };
}
