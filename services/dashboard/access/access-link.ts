/** What a link opens: one account by its token, or the operators' page, which asks for a key. */
export type Access =
  | {
      readonly kind: "account";
      readonly token: string;
      readonly accountId: string;
      /** The server refuses every change. */
      readonly readOnly: boolean;
    }
  | { readonly kind: "operators"; readonly hadKey: boolean };

/**
 * Reads the access from a URL's fragment, `#token=...` or `#operators`, which is never sent to a server.
 * Null if there is no valid one. A key lives long and is never read from a link, which browsers store:
 * `#key=...` only leads to the operators' page.
 */
export function accessOf(fragment: string): Access | null {
  const parts = new URLSearchParams(fragment.replace(/^#/, ""));
  const token = parts.get("token");
  if (token !== null) {
    const accountId = accountOf(token);
    if (accountId === null) return null;
    return { kind: "account", token, accountId, readOnly: token.startsWith(READ_ONLY) };
  }
  const hadKey = parts.has("key");
  return hadKey || parts.has("operators") ? { kind: "operators", hadKey } : null;
}

/** The secret has a fixed length, since the account's part may contain the separator. */
const READ_ONLY = "ddr_";
const TOKEN = /^dd[tr]_([\w-]+)_[\w-]{43}$/;

/** The account of a token, `ddt_` or `ddr_<base64url(account id)>_<secret>`; null if it is malformed. */
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

const KEY = /^ddk_[0-9a-f]{16}_[\w-]{43}$/;

/** A key as it was pasted, or null if it cannot be one. */
export function readKey(text: string): string | null {
  const key = text.trim();
  return KEY.test(key) ? key : null;
}
