import type { z } from "zod";
import { OutcomeUnknown } from "../payment-gateway.ts";

interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly key?: string;
  readonly body?: unknown;
  /** The statuses that answer the call. */
  readonly expect: readonly number[];
}

interface Answered {
  readonly status: number;
  readonly answer: unknown;
}

/**
 * Calls the gateway; `what` names the call in errors. Throws OutcomeUnknown if the gateway does not
 * answer in time, cannot be reached or fails, and a plain Error if it refuses the call as invalid.
 */
export function caller(url: string, timeLimitMs: number) {
  return async (what: string, { method, path, key, body, expect }: Call): Promise<Answered> => {
    const { status, text } = await exchange(what, timeLimitMs, new URL(path, url), {
      method,
      headers: {
        ...(key === undefined ? {} : { "Idempotency-Key": key }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (expect.includes(status)) return { status, answer: readJson(what, text) };
    const message = `the simulated gateway answered ${what} with ${status}: ${text.slice(0, 300)}`;
    throw isRefusal(status) ? new Error(message) : new OutcomeUnknown(message);
  };
}

/** Reads an answer; throws OutcomeUnknown if it does not match. */
export function readAnswer<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw unreadable(what, parsed.error);
  return parsed.data;
}

async function exchange(what: string, timeLimitMs: number, url: URL, init: RequestInit) {
  try {
    const signal = AbortSignal.timeout(timeLimitMs); // also limits reading the body
    const response = await fetch(url, { ...init, redirect: "error", signal });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    const failed = isLate
      ? `the simulated gateway did not answer ${what} within ${timeLimitMs} ms`
      : `the connection to the simulated gateway failed during ${what}: ${rootOf(error)}`;
    throw new OutcomeUnknown(failed, { cause: error });
  }
}

/** fetch reports only "fetch failed"; the reason is its cause. */
function rootOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return rootOf(error.cause);
  return error.message === "" ? error.name : error.message;
}

/** The request is invalid, so nothing was done. 408 and 429 do not mean that. */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function readJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreadable(what, error);
  }
}

function unreadable(what: string, cause: unknown): OutcomeUnknown {
  return new OutcomeUnknown(`the simulated gateway's answer to ${what} cannot be read`, { cause });
}
