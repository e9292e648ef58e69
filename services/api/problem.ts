import { STATUS_CODES } from "node:http";
import { explainRefusal } from "../../shared/contract/refusals.ts";
import type { AccountId } from "../../shared/core/line/account.ts";
import type { Refusal } from "../../shared/core/line/refusal.ts";

/** An error answer (RFC 9457). Routes throw it; answer-problems.ts sends it. */
export class Problem extends Error {
  readonly status: number;
  /** Identifies the cause to programs. */
  readonly code: string;
  /** The field, parameter or header that is wrong. */
  readonly field: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** Extension members of the document (RFC 9457, 3.2). */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: {
      readonly field?: string;
      readonly retryAfterSeconds?: number;
      readonly members?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.field = more.field;
    this.retryAfterSeconds = more.retryAfterSeconds;
    this.members = more.members ?? {};
  }
}

/** A status's phrase in RFC 9110. Node has older phrases for two of them. */
export function titleOf(status: number): string {
  if (status === 413) return "Content Too Large";
  return status === 422 ? "Unprocessable Content" : (STATUS_CODES[status] ?? "Error");
}

/** The problem document. */
export function documentOf({ status, code, message, field, members }: Problem) {
  return {
    type: `urn:drawdown:${code}`,
    title: titleOf(status),
    status,
    detail: message,
    ...(field === undefined ? {} : { field }),
    ...members,
  };
}

export function badRequest(field: string, what: string): Problem {
  return new Problem(400, "invalid", `${field} ${what}`, { field });
}

/** The problem for a refusal; `field` is used unless the kind of refusal names one. */
export function refuse(refusal: Refusal, field?: string): Problem {
  const { sentence, status, field: ofKind = field } = explainRefusal(refusal);
  if (refusal.kind === "too_many_attempts") {
    const retryAfterSeconds = Math.ceil(refusal.waitMs / 1000);
    return new Problem(status, refusal.kind, sentence, { retryAfterSeconds });
  }
  return new Problem(status, refusal.kind, sentence, ofKind === undefined ? {} : { field: ofKind });
}

export function unknownAccount(accountId: AccountId): Problem {
  return refuse({ kind: "unknown_account", accountId });
}
