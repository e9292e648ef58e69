/** What lets a page read: a dashboard token (one account) or an admin key (the operators' page). */
export type Access =
  | { readonly kind: "account"; readonly token: string; readonly accountId: string }
  | { readonly kind: "operator"; readonly key: string };

/**
 * Reads the access out of an address's fragment, `#token=...` or `#key=...`, which no server ever
 * sees; null when there is none that could be one.
 */
export function accessOf(fragment: string): Access | null {
  const parts = new URLSearchParams(fragment.replace(/^#/, ""));
  const token = parts.get("token");
  if (token !== null) {
    const accountId = accountOf(token);
    return accountId === null ? null : { kind: "account", token, accountId };
  }
  const key = parts.get("key");
  return key === null || key === "" ? null : { kind: "operator", key };
}

/** The secret has a length of its own: an account's part may hold the sign between the two. */
const TOKEN = /^ddt_([\w-]+)_[\w-]{43}$/;

/** The account a token opens: `ddt_<base64url(account id)>_<secret>`; null when it is no such token. */
export function accountOf(token: string): string | null {
  const [, encoded] = TOKEN.exec(token) ?? [];
  if (encoded === undefined) return null;
  try {
    const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
