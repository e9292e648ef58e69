import { type Access, accessOf } from "./access-link.ts";

const LINK = /^#(token|key)=/;
const KEPT = "drawdown.access";

/**
 * The access this tab has: that of the link which opened it, or the one kept since. A link's is taken
 * out of the address bar and the history, and lives no longer than the tab.
 */
export function keepAccess(): Access | null {
  const fragment = location.hash;
  // A broken link is kept too: the account of an older one would not be the one that was asked for.
  if (LINK.test(fragment)) {
    sessionStorage.setItem(KEPT, fragment);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return accessOf(sessionStorage.getItem(KEPT) ?? "");
}
