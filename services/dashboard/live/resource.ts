import { type ReadonlySignal, signal } from "@preact/signals";
import { Problem } from "../api/request.ts";

/** What was read, if anything was, and why the last attempt failed, if it did. */
export interface Loaded<T> {
  readonly value: T | null;
  readonly problem: Problem | null;
  readonly loading: boolean;
}

/** Something read from the API, and read again when it changes. */
export interface Resource<T> {
  readonly state: ReadonlySignal<Loaded<T>>;
  /** Reads it again, keeping what is shown until the answer is there. Never throws. */
  readonly reload: () => Promise<void>;
  readonly set: (value: T) => void;
}

/**
 * A resource that nobody has read yet. An answer that a later one has overtaken is dropped, so that
 * what is shown never goes back. A refusal of the token is told once, to whoever shows the page.
 */
export function resource<T>(
  load: (shown: T | null) => Promise<T>,
  refused: () => void,
): Resource<T> {
  const state = signal<Loaded<T>>({ value: null, problem: null, loading: true });
  let asked = 0;
  return {
    state,
    async reload() {
      asked++;
      const mine = asked;
      state.value = { ...state.peek(), loading: true };
      try {
        const value = await load(state.peek().value);
        if (mine === asked) state.value = { value, problem: null, loading: false };
      } catch (error) {
        const problem = error instanceof Problem ? error : new Problem(0, String(error));
        if (problem.isRefusal) refused();
        if (mine === asked) state.value = { ...state.peek(), problem, loading: false };
      }
    },
    set(value) {
      asked++;
      state.value = { value, problem: null, loading: false };
    },
  };
}
