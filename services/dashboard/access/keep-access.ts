import { type Access, accessOf } from "./access-link.ts";

const KEPT = "drawdown.access";

/**
 * The access this tab has: that of the link which opened it, or the one kept since. A link's is taken
 * out of the address bar and the history, and lives no longer than the tab.
 */
export function keepAccess(): Access | null {
  const fragment = location.hash;
  if (accessOf(fragment) !== null) {
    sessionStorage.setItem(KEPT, fragment);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return accessOf(sessionStorage.getItem(KEPT) ?? "");
}
