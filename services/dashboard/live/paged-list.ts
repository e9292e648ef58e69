import type { PageData } from "../../../shared/contract/page.ts";
import { type Resource, resource } from "./resource.ts";

/** The loaded pages of a list. */
export interface Listed<T> {
  readonly items: readonly T[];
  /** The cursor of the next page; null if there is none. */
  readonly next: string | null;
}

/** A list loaded page by page. `more` loads the next page; `reload` the newest, and keeps the others. */
export interface PagedList<T> extends Resource<Listed<T>> {
  readonly more: () => Promise<void>;
}

/** A list, newest first, not loaded yet; `idOf` identifies its items. */
export function pagedList<T>(
  load: (cursor: string | null) => Promise<PageData<T>>,
  idOf: (item: T) => string,
  refused: () => void,
): PagedList<T> {
  let cursor: string | null = null;
  const list = resource<Listed<T>>(async (shown) => {
    const from = cursor;
    cursor = null;
    const page = await load(from);
    return from === null ? withNewest(shown, page, idOf) : withNext(shown, page, idOf);
  }, refused);
  return {
    ...list,
    async more() {
      cursor = list.state.peek().value?.next ?? null;
      if (cursor !== null) await list.reload();
    },
  };
}

/** The list after reloading its newest page. If that does not overlap the rest, the list begins anew. */
export function withNewest<T>(
  shown: Listed<T> | null,
  page: PageData<T>,
  idOf: (item: T) => string,
): Listed<T> {
  const fresh = { items: page.items, next: page.next_cursor };
  if (shown === null) return fresh;
  const ids = new Set(page.items.map(idOf));
  const older = shown.items.filter((item) => !ids.has(idOf(item)));
  if (older.length === 0 || older.length === shown.items.length) return fresh;
  return { items: [...page.items, ...older], next: shown.next };
}

/** The list with its next page. */
export function withNext<T>(
  shown: Listed<T> | null,
  page: PageData<T>,
  idOf: (item: T) => string,
): Listed<T> {
  const items = shown?.items ?? [];
  const ids = new Set(items.map(idOf));
  return {
    items: [...items, ...page.items.filter((item) => !ids.has(idOf(item)))],
    next: page.next_cursor,
  };
}
