import { type Access, accessOf } from "./access-link.ts";

const KEPT = "drawdown.access";
const KEY = "drawdown.key";
const OPERATORS = "#operators";

/**
 * The access of this tab: from the link that opened it, or stored since. A secret is removed from the
 * address bar and the history, and kept only as long as the tab.
 */
export function keepAccess(): Access | null {
  const fragment = location.hash;
  const access = accessOf(fragment);
  if (access?.kind === "operators") {
    if (access.hadKey)
      history.replaceState(null, "", location.pathname + location.search + OPERATORS);
    return access;
  }
  // A broken link replaces an older one too, which may be of another account.
  if (fragment.startsWith("#token=")) {
    forgetKey();
    sessionStorage.setItem(KEPT, fragment);
    history.replaceState(null, "", location.pathname + location.search);
  }
  const kept = accessOf(sessionStorage.getItem(KEPT) ?? "");
  return kept?.kind === "account" ? kept : null;
}

/** The key that this tab is signed in with, or null. */
export function keptKey(): string | null {
  return sessionStorage.getItem(KEY);
}

export function keepKey(key: string): void {
  sessionStorage.setItem(KEY, key);
}

export function forgetKey(): void {
  sessionStorage.removeItem(KEY);
}
