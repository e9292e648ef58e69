import type { z } from "zod";
import { type Answer, OPERATIONS, type Operation, type StreamEvent } from "./api-operations.ts";
import { type ApiClientOptions, ApiProblem, callApi } from "./api-request.ts";
import { cloudEventOf } from "./cloud-event.ts";
import { eventIds } from "./event-ids.ts";
import { followAccount } from "./follow-account.ts";
import { type Answer as AnswerOf, readAnswer } from "./read-answer.ts";
import type { Usage } from "./usage-client.ts";

export { type Answer, type ApiClientOptions, ApiProblem, type StreamEvent };

const TIMEOUT_MS = 30_000;

/** How much of a list, and from where on: `nextCursor` of the page before. */
export interface PageAsked {
  readonly limit?: number;
  readonly cursor?: string;
}

/** From and to are 30 days until now where they are left out; `to` is not included. */
export interface Range {
  readonly from?: Date | number;
  readonly to?: Date | number;
}

/** Of whatever adds or takes: the same key again does nothing more. Default: a new one each time. */
export interface Once {
  readonly idempotencyKey?: string;
}

/**
 * Drawdown's API for a product service. Amounts are micro-credits, and money in minor units, as bigint;
 * instants are given as Date or milliseconds since 1970 and come as Date. Everything rejects with
 * ApiProblem where the API refuses.
 */
export type ApiClient = ReturnType<typeof openApiClient>;

/** A client of the API at `url` with a key; it holds nothing that would have to be closed. */
export function openApiClient(options: ApiClientOptions) {
  const newId = eventIds();

  async function ask<Noun extends z.ZodType>(
    { method, path, answer }: Operation<Noun>,
    ids: Readonly<Record<string, string>>,
    asked: { readonly query?: Given; readonly body?: unknown; readonly headers?: Headed } = {},
  ): Promise<AnswerOf<Noun>> {
    const { query = {}, body, headers = {} } = asked;
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeId(ids[name] ?? ""));
    const response = await callApi(options, {
      method,
      path: filled + queryText(query),
      headers: { ...(body === undefined ? {} : { "content-type": JSON_TYPE }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body, amountsAsText) }),
      signal: AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS),
    });
    return readAnswer(answer, await response.json(), path);
  }

  const keyed = ({ idempotencyKey = newId(Date.now()) }: Once) => ({
    "idempotency-key": idempotencyKey,
  });

  return {
    /** What is left: one read of one row. */
    balance: (accountId: string) => ask(OPERATIONS.balance, { account_id: accountId }),

    /** May the account start something that costs about so much? Nothing is reserved. */
    allowance: (
      accountId: string,
      cost:
        | { readonly credits: bigint }
        | { readonly meter: string; readonly quantity: bigint | number },
    ) => ask(OPERATIONS.allowance, { account_id: accountId }, { query: { ...cost } }),

    account: (accountId: string) => ask(OPERATIONS.account, { account_id: accountId }),

    /** The same again changes nothing. */
    createAccount: (
      accountId: string,
      settings: {
        readonly timeZone?: string;
        readonly currency?: string;
        readonly threshold?: bigint;
      } = {},
    ) => {
      const { timeZone: time_zone, currency, threshold } = settings;
      return ask(
        OPERATIONS.createAccount,
        {},
        {
          body: { account_id: accountId, time_zone, currency, threshold },
        },
      );
    },

    /** The credit line, oldest lot first; `live`: only what something is left of. */
    lots: (accountId: string, asked: PageAsked & { readonly live?: boolean } = {}) =>
      ask(OPERATIONS.lots, { account_id: accountId }, { query: { ...asked } }),

    /** What was posted beside usage, the newest first. */
    entries: (accountId: string, asked: PageAsked = {}) =>
      ask(OPERATIONS.entries, { account_id: accountId }, { query: { ...asked } }),

    /** What credits were spent on, in sums. */
    usage: (
      accountId: string,
      asked: Range & {
        readonly by?: "hour" | "day" | "month";
        readonly group?: "meter" | "source" | "dimension";
        readonly dimension?: string;
      } = {},
    ) => ask(OPERATIONS.usage, { account_id: accountId }, { query: { ...asked } }),

    /** Metered events, those metered last first. */
    usageRecords: (
      accountId: string,
      asked: Range & PageAsked & { readonly meter?: string } = {},
    ) => ask(OPERATIONS.usageRecords, { account_id: accountId }, { query: { ...asked } }),

    topUps: (accountId: string, asked: PageAsked = {}) =>
      ask(OPERATIONS.topUps, { account_id: accountId }, { query: { ...asked } }),

    /** Charges money, in the currency's minor unit: pending until the card network has answered. */
    topUp: (accountId: string, { amount, ...once }: Once & { readonly amount: bigint }) =>
      ask(OPERATIONS.topUp, { account_id: accountId }, { body: { amount }, headers: keyed(once) }),

    /** Adds credits as one lot; `expiresAt` null: never; left out: in two months. */
    grant: (
      accountId: string,
      {
        idempotencyKey,
        lotId: lot_id,
        expiresAt,
        ...grant
      }: Once & {
        readonly credits: bigint;
        readonly source?: "promotion" | "adjustment" | "top_up";
        readonly lotId?: string;
        readonly reference?: string;
        readonly expiresAt?: Date | number | null;
      },
    ) => {
      const expires_at = typeof expiresAt === "number" ? new Date(expiresAt) : expiresAt;
      const body = { ...grant, lot_id, expires_at };
      const headers = keyed(idempotencyKey === undefined ? {} : { idempotencyKey });
      return ask(OPERATIONS.grant, { account_id: accountId }, { body, headers });
    },

    /** Corrects a balance, up or down, once for each reference. */
    adjust: (
      accountId: string,
      {
        credits,
        reference,
        ...once
      }: Once & { readonly credits: bigint; readonly reference: string },
    ) => {
      const asked = { body: { credits, reference }, headers: keyed(once) };
      return ask(OPERATIONS.adjust, { account_id: accountId }, asked);
    },

    subscribe: (
      accountId: string,
      {
        planId: plan_id,
        interval,
        renewal,
        ...once
      }: Once & {
        readonly planId: string;
        readonly interval?: "month" | "year";
        readonly renewal?: "first_of_month" | "day_of_month";
      },
    ) => {
      const asked = { body: { plan_id, interval, renewal }, headers: keyed(once) };
      return ask(OPERATIONS.subscribe, { account_id: accountId }, asked);
    },

    /** A token that opens this account's dashboard, for so many minutes: `url` + `dashboard`. */
    dashboardToken: (accountId: string, { minutes }: { readonly minutes?: number } = {}) =>
      ask(OPERATIONS.dashboardToken, { account_id: accountId }, { body: { minutes } }),

    /**
     * Publishes up to 1,000 events; resolves once Kafka has all that were accepted. Those under
     * `rejected` are not taken as they are; where it rejects, the same may be sent again if each
     * names its `eventId` and `occurredAt`.
     */
    ingest: (events: readonly Usage[], { source = "api-client" } = {}) => {
      const now = Date.now();
      const body = events.map((usage) => cloudEventOf(usage, { id: newId(now), source, now }));
      const headers = { "content-type": "application/cloudevents-batch+json" };
      return ask(OPERATIONS.ingest, {}, { body, headers });
    },

    /**
     * What happens on an account, as it happens: the balance as it is comes first. A stream that
     * breaks goes on where it was; leave the loop, or abort `signal`, to end it.
     */
    stream: (accountId: string, { signal }: { readonly signal?: AbortSignal } = {}) =>
      followAccount(options, `/v1/accounts/${encodeId(accountId)}/stream`, signal),
  };
}

const JSON_TYPE = "application/json";

type Given = Readonly<Record<string, string | number | bigint | boolean | Date | undefined>>;
type Headed = Readonly<Record<string, string>>;

const encodeId = encodeURIComponent;
const INSTANTS = new Set(["from", "to"]);

function queryText(given: Given): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const isInstant = value instanceof Date || (INSTANTS.has(name) && typeof value === "number");
    query.set(name, isInstant ? new Date(value).toISOString() : String(value));
  }
  return query.size === 0 ? "" : `?${query}`;
}

function amountsAsText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
