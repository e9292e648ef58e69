import type { z } from "zod";
import { type Answer, OPERATIONS, type Operation, type StreamEvent } from "./api-operations.ts";
import { type ApiClientOptions, ApiProblem, callApi } from "./api-request.ts";
import { cloudEventOf } from "./cloud-event.ts";
import { eventIds } from "./event-ids.ts";
import { followAccount } from "./follow-account.ts";
import { instantText, jsonText } from "./json-value.ts";
import { type Answer as AnswerOf, readAnswer } from "./read-answer.ts";
import type { Usage } from "./usage.ts";

export { type Answer, type ApiClientOptions, ApiProblem, type StreamEvent };

const TIMEOUT_MS = 30_000;
/** What a header can carry: fetch leaves blanks at the end out, as of a file with one line. */
const KEY = /^[\x21-\x7e]*\s*$/;

/** A page of a list: at most `limit` items, after the `nextCursor` of the page before. */
export interface PageAsked {
  readonly limit?: number;
  readonly cursor?: string;
}

/** From `from` until before `to`; by default the last 30 days. */
export interface Range {
  readonly from?: Date | number;
  readonly to?: Date | number;
}

/** A change with the same key again does nothing more. Default: a new key each time. */
export interface Once {
  readonly idempotencyKey?: string;
}

interface AccountSettings {
  readonly timeZone?: string;
  readonly currency?: string;
  readonly threshold?: bigint;
}

/** What is about to be used: an amount of credits, or a quantity of a meter. */
type Cost =
  | { readonly credits: bigint }
  | { readonly meter: string; readonly quantity: bigint | number };

/** The same, with the dimensions that prices and budgets go by. */
type CostOfUsage = Cost & Pick<Usage, "dimensions">;

interface NewHold {
  /** Yours: after a lost answer, asked for again with it, it is the same hold. */
  readonly holdId: string;
  /** True: where less is available, it is given. */
  readonly partial?: boolean;
  /** Default: 600. */
  readonly ttlSeconds?: number;
}

/** What of usage its price depends on. */
type UsageToCome = Pick<Usage, "meter" | "quantity" | "quantities" | "dimensions" | "occurredAt">;

interface UsageQuery extends Range {
  readonly by?: "hour" | "day" | "month";
  readonly group?: "meter" | "source" | "dimension";
  readonly dimension?: string;
}

interface NewGrant extends Once {
  readonly credits: bigint;
  readonly source?: "promotion" | "adjustment" | "top_up";
  readonly lotId?: string;
  readonly reference?: string;
  /** Null: never. Default: in two months. */
  readonly expiresAt?: Date | number | null;
}

interface NewSubscription extends Once {
  readonly planId: string;
  readonly interval?: "month" | "year";
  readonly renewal?: "first_of_month" | "day_of_month";
}

/**
 * Drawdown's API for a product service. Amounts are micro-credits, money is in minor units, both as
 * bigint; instants are Dates, and may be passed as milliseconds since 1970. Every call rejects with
 * ApiProblem if the API refuses.
 */
export type ApiClient = ReturnType<typeof openApiClient>;

/**
 * A client of the API at `url`, with a key. There is nothing to close. Throws TypeError for a URL with a user or
 * password, and for a key with a line break or another character that no key has: fetch refuses both, in an error
 * that shows the password or the key.
 */
export function openApiClient(options: ApiClientOptions) {
  const { username, password } = new URL(options.url);
  if (username !== "" || password !== "") {
    throw new TypeError("the API's url must not have a user or password; the key is `key`");
  }
  if (!KEY.test(options.key)) {
    throw new TypeError("the API's key has a character that no key has, such as a line break");
  }
  const newId = eventIds();
  const { get, post } = accountRequests(options, newId);
  const ofHolds = <Noun extends z.ZodType>(
    to: Operation<Noun>,
    [account_id, hold_id = ""]: readonly [accountId: string, holdId?: string],
    body?: object,
  ) => request(options, to, { account_id, hold_id }, body === undefined ? {} : { body });

  return {
    /** What is left. The cheapest call: it reads one row. */
    balance: (accountId: string) => get(OPERATIONS.balance, accountId),

    /** Whether the account, and the budgets of the dimensions, cover about this cost. Nothing is reserved. */
    allowance: (accountId: string, { dimensions, ...cost }: CostOfUsage) =>
      get(OPERATIONS.allowance, accountId, {
        ...{ ...cost, dimensions: dimensions && JSON.stringify(dimensions) },
      }),

    /**
     * What usage would cost, by the code that meters: exactly with an account, to a micro-credit without.
     * Nothing is reserved or stored. At most 1,000 of them.
     */
    estimate: (
      usages: readonly UsageToCome[],
      { accountId: account_id }: { readonly accountId?: string } = {},
    ) => {
      const body = { account_id, usages: usages.map(usageToCome) };
      return request(options, OPERATIONS.estimate, {}, { body });
    },

    /** What the account pays of its own, oldest first. */
    ownTerms: (accountId: string) => get(OPERATIONS.ownTerms, accountId),

    account: (accountId: string) => get(OPERATIONS.account, accountId),

    /** A repeat changes nothing. */
    createAccount: (accountId: string, settings: AccountSettings = {}) => {
      const { timeZone: time_zone, currency, threshold } = settings;
      const body = { account_id: accountId, time_zone, currency, threshold };
      return request(options, OPERATIONS.createAccount, {}, { body });
    },

    /** The credit line, oldest lot first; `live`: only lots with credits left. */
    lots: (accountId: string, query: PageAsked & { readonly live?: boolean } = {}) =>
      get(OPERATIONS.lots, accountId, { ...query }),

    /** Posted entries, newest first. */
    entries: (accountId: string, query: PageAsked = {}) =>
      get(OPERATIONS.entries, accountId, { ...query }),

    /** What credits were spent on, summed up. */
    usage: (accountId: string, query: UsageQuery = {}) =>
      get(OPERATIONS.usage, accountId, { ...query }),

    /** Metered events, the last metered first. */
    usageRecords: (
      accountId: string,
      query: Range & PageAsked & { readonly meter?: string } = {},
    ) => get(OPERATIONS.usageRecords, accountId, { ...query }),

    topUps: (accountId: string, query: PageAsked = {}) =>
      get(OPERATIONS.topUps, accountId, { ...query }),

    /** Charges money, in the currency's minor unit. It is pending until the gateway has answered. */
    topUp: (accountId: string, { amount, ...once }: Once & { readonly amount: bigint }) =>
      post(OPERATIONS.topUp, accountId, { amount }, once),

    /** Adds credits as one lot. */
    grant: (accountId: string, { idempotencyKey, lotId, expiresAt, ...grant }: NewGrant) => {
      const expires_at = typeof expiresAt === "number" ? new Date(expiresAt) : expiresAt;
      const body = { ...grant, lot_id: lotId, expires_at };
      return post(OPERATIONS.grant, accountId, body, { idempotencyKey });
    },

    /** Corrects a balance, up or down, once for each reference. */
    adjust: (
      accountId: string,
      { idempotencyKey, ...body }: Once & { readonly credits: bigint; readonly reference: string },
    ) => post(OPERATIONS.adjust, accountId, body, { idempotencyKey }),

    subscribe: (accountId: string, { idempotencyKey, planId, ...paying }: NewSubscription) =>
      post(OPERATIONS.subscribe, accountId, { plan_id: planId, ...paying }, { idempotencyKey }),

    /**
     * Sets credits aside for usage to come: an amount, or what a quantity of a meter costs at most. Rejects with
     * ApiProblem, status 402, where less is available.
     */
    hold: (accountId: string, { holdId, ttlSeconds, ...asked }: NewHold & CostOfUsage) =>
      ofHolds(OPERATIONS.hold, [accountId], {
        ...{ hold_id: holdId, ttl_seconds: ttlSeconds, ...asked },
      }),

    /** A hold as it is now; its end, too, for 40 days. */
    showHold: (accountId: string, holdId: string) =>
      ofHolds(OPERATIONS.showHold, [accountId, holdId]),

    /** Gives a hold that many seconds from now on; never less than it has. */
    extendHold: (accountId: string, holdId: string, ttlSeconds: number) =>
      ofHolds(OPERATIONS.extendHold, [accountId, holdId], { ttl_seconds: ttlSeconds }),

    /** Closes a hold with a final amount of credits. The same again changes nothing. */
    captureHold: (accountId: string, holdId: string, credits: bigint) =>
      ofHolds(OPERATIONS.captureHold, [accountId, holdId], { credits }),

    /** Gives back what a hold sets aside. The same again changes nothing. */
    releaseHold: (accountId: string, holdId: string) =>
      ofHolds(OPERATIONS.releaseHold, [accountId, holdId]),

    /** A token that opens this account's dashboard at `url` + `dashboard`, for some minutes. */
    dashboardToken: (accountId: string, body: { readonly minutes?: number } = {}) =>
      post(OPERATIONS.dashboardToken, accountId, body),

    /**
     * Publishes up to 1,000 events; resolves when Kafka has all that were accepted. Events under
     * `rejected` are invalid. After a rejection of the promise, the same events may be sent again if
     * each has its `eventId` and `occurredAt`. Rejects with TypeError for a dimension called quantity,
     * quantities or hold_id: those are the event's own.
     */
    ingest: async (events: readonly Usage[], { source = "api-client" } = {}) => {
      const now = Date.now();
      const body = events.map((usage) => cloudEventOf(usage, { id: newId(now), source, now }));
      const headers = { "content-type": "application/cloudevents-batch+json" };
      return request(options, OPERATIONS.ingest, {}, { body, headers });
    },

    /**
     * Follows an account; the first event is its balance. A broken stream continues where it was.
     * Leave the loop or abort `signal` to end it.
     */
    stream: (accountId: string, { signal }: { readonly signal?: AbortSignal } = {}) =>
      followAccount(options, `/v1/accounts/${encodeURIComponent(accountId)}/stream`, signal),
  };
}

function usageToCome({ meter, quantity, quantities, dimensions, occurredAt }: UsageToCome) {
  const occurred_at = occurredAt === undefined ? undefined : instantText("occurredAt", occurredAt);
  return { meter, quantity, quantities, dimensions, occurred_at };
}

/** Requests about one account; with `once`, a request has an idempotency key. */
function accountRequests(options: ApiClientOptions, newId: (now: number) => string) {
  const get = <Noun extends z.ZodType>(to: Operation<Noun>, accountId: string, query: Query = {}) =>
    request(options, to, { account_id: accountId }, { query });

  const post = <Noun extends z.ZodType>(
    to: Operation<Noun>,
    accountId: string,
    body: object,
    once?: { readonly idempotencyKey?: string | undefined },
  ) => {
    const headers = once && { "idempotency-key": once.idempotencyKey ?? newId(Date.now()) };
    return request(options, to, { account_id: accountId }, { body, ...(headers && { headers }) });
  };
  return { get, post };
}

interface Request {
  readonly query?: Query;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

async function request<Noun extends z.ZodType>(
  options: ApiClientOptions,
  { method, path, answer }: Operation<Noun>,
  ids: Readonly<Record<string, string>>,
  { query = {}, body, headers = {} }: Request,
): Promise<AnswerOf<Noun>> {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(ids[name] ?? ""),
  );
  const response = await callApi(options, {
    method,
    path: filled + queryText(query),
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: jsonText(body) }),
    signal: AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS),
  });
  return readAnswer(answer, await response.json(), path);
}

type Query = Readonly<Record<string, string | number | bigint | boolean | Date | undefined>>;

const INSTANTS = new Set(["from", "to"]);

function queryText(given: Query): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const isInstant = value instanceof Date || (INSTANTS.has(name) && typeof value === "number");
    query.set(name, isInstant ? instantText(name, value) : String(value));
  }
  return query.size === 0 ? "" : `?${query}`;
}
