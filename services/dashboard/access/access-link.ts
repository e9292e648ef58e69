/** A dashboard token for one account, or an admin key for the operators' page. */
export type Access =
  | {
      readonly kind: "account";
      readonly token: string;
      readonly accountId: string;
      /** The server refuses every change. */
      readonly readOnly: boolean;
    }
  | { readonly kind: "operator"; readonly key: string };

/**
 * Reads the access from a URL's fragment, `#token=...` or `#key=...`, which is never sent to a server.
 * Null if there is no valid one.
 */
export function accessOf(fragment: string): Access | null {
  const parts = new URLSearchParams(fragment.replace(/^#/, ""));
  const token = parts.get("token");
  if (token !== null) {
    const accountId = accountOf(token);
    if (accountId === null) return null;
    return { kind: "account", token, accountId, readOnly: token.startsWith(READ_ONLY) };
  }
  const key = parts.get("key");
  return key === null || key === "" ? null : { kind: "operator", key };
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
