import { type Access, accessOf } from "./access-link.ts";

const LINK = /^#(token|key)=/;
const KEPT = "drawdown.access";

/**
 * The access of this tab: from the link that opened it, or stored since. It is removed from the
 * address bar and the history, and kept only as long as the tab.
 */
export function keepAccess(): Access | null {
  const fragment = location.hash;
  // A broken link replaces an older one too, which may be of another account.
  if (LINK.test(fragment)) {
    sessionStorage.setItem(KEPT, fragment);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return accessOf(sessionStorage.getItem(KEPT) ?? "");
}
