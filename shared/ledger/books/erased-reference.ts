import { hash } from "node:crypto";

const DIGITS = 32;

/**
 * What takes the place of a reference that a person wrote once its account is erased: a digest, by which a repeat of
 * what the reference identifies is still found. Source: `erased_reference` in migration 0057.
 */
export function erasedReference(accountId: string, reference: string): string {
  if (reference === "") return reference;
  return `erased-${hash("sha256", `${accountId}\0${reference}`).slice(0, DIGITS)}`;
}
