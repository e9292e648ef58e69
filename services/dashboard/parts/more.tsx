import type { PagedList } from "../live/paged-list.ts";

/** Loads the next page of a list, if there is one. */
export function More<T>({ list, what }: { list: PagedList<T>; what: string }) {
  const { value, loading } = list.state.value;
  if (value === null || value.next === null) return null;
  return (
    <button type="button" class="more" disabled={loading} onClick={() => void list.more()}>
      {loading ? "Loading" : `Show more ${what}`}
    </button>
  );
}
