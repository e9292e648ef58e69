import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const KEY = /^ddk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;
const TOKEN = /^dd[tr]_([A-Za-z0-9_-]{1,1400})_([A-Za-z0-9_-]{43})$/;
const ID_BYTES = 8;
const SECRET_BYTES = 32;

/** A parsed Authorization header, not yet checked. */
export type Secret =
  | { readonly kind: "key"; readonly keyId: string; readonly hash: Buffer }
  | { readonly kind: "token"; readonly accountId: string; readonly hash: Buffer };

/** A new API key: `text` is shown once, only its hash is stored. */
export function newKey(): { readonly text: string; readonly keyId: string; readonly hash: Buffer } {
  const keyId = randomBytes(ID_BYTES).toString("hex");
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  return { text: `ddk_${keyId}_${secret}`, keyId, hash: hashOf(secret) };
}

/**
 * A new dashboard token. It contains the account id, and begins with `ddr` if it is read-only, so that
 * the dashboard knows what to show. What it may do is decided by what is stored, not by its text.
 */
export function newToken(
  accountId: string,
  readOnly: boolean,
): { readonly text: string; readonly hash: Buffer } {
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  const account = Buffer.from(accountId).toString("base64url");
  return { text: `${readOnly ? "ddr" : "ddt"}_${account}_${secret}`, hash: hashOf(secret) };
}

/** Parses a key or token; null: it is neither. */
export function readSecret(text: string): Secret | null {
  const [, keyId, ofKey] = KEY.exec(text) ?? [];
  if (keyId !== undefined && ofKey !== undefined)
    return { kind: "key", keyId, hash: hashOf(ofKey) };
  const [, account, ofToken] = TOKEN.exec(text) ?? [];
  if (account === undefined || ofToken === undefined) return null;
  const accountId = Buffer.from(account, "base64url").toString();
  return { kind: "token", accountId, hash: hashOf(ofToken) };
}

/** True for equal digests; takes as long whichever bytes differ. */
export function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** 256 random bits need no salt and no slow hash. */
function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
