import {
  amount,
  flag,
  instant,
  listOf,
  nullable,
  number,
  type Read,
  type Reader,
  record,
  text,
  texts,
} from "./api-wire.ts";

const balance = record({
  account_id: text,
  balance: amount,
  granted: amount,
  position: amount,
  low_balance: flag,
  threshold: amount,
  version: amount,
});

const allowance = record({
  account_id: text,
  allowed: flag,
  reason: text,
  detail: text,
  cost: amount,
  balance: amount,
});

const schedule = {
  subscription: nullable(
    record({
      plan_id: text,
      interval: text,
      renewal: text,
      subscribed_at: instant,
      period_credits: amount,
      next_period_at: instant,
      next_plan_id: nullable(text),
      next_interval: nullable(text),
      paid_price: amount,
      cancelled: flag,
      suspended: flag,
    }),
  ),
  add_ons: listOf(
    record({
      add_on_id: text,
      quantity: number,
      next_quantity: number,
      credits_per_month: nullable(amount),
    }),
  ),
};

const account = record({
  account_id: text,
  time_zone: text,
  currency: text,
  threshold: amount,
  balance: amount,
  low_balance: flag,
  version: amount,
  created_at: instant,
  auto_top_up: record({
    enabled: flag,
    amount,
    limit_per_day: amount,
    limit_per_month: amount,
    paused_until: nullable(instant),
    stopped: nullable(text),
  }),
  payment_method: record({ set: flag }),
  ...schedule,
});

const lot = record({
  lot_id: text,
  source: text,
  reference: text,
  credits: amount,
  used: amount,
  expired: amount,
  withdrawn: amount,
  remaining: amount,
  granted_at: instant,
  expires_at: nullable(instant),
});

const entry = record({
  sequence: amount,
  kind: text,
  credits: amount,
  balance: amount,
  used_before: amount,
  lot_id: nullable(text),
  reference: text,
  due_at: instant,
  posted_at: instant,
});

const usage = record({
  from: instant,
  to: instant,
  time_zone: text,
  total: amount,
  buckets: listOf(
    record({
      at: instant,
      key: text,
      credits: amount,
      events: amount,
      quantity: nullable(amount),
    }),
  ),
});

const usageRecord = record({
  event_id: text,
  meter: text,
  quantity: amount,
  credits: amount,
  occurred_at: instant,
  source: text,
  dimensions: texts,
  metered_at: instant,
});

const topUp = record({
  payment_id: text,
  status: text,
  amount,
  currency: text,
  credits: nullable(amount),
  automatic: flag,
  reason: text,
  created_at: instant,
});

const granted = record({
  account_id: text,
  lot_id: nullable(text),
  credits: amount,
  balance: amount,
});

const dashboardToken = record({
  account_id: text,
  token: text,
  expires_at: instant,
  dashboard: text,
});

const ingested = record({
  accepted: number,
  rejected: listOf(
    record({ index: number, id: nullable(text), reason: text, field: text, detail: text }),
  ),
});

/** One thing to ask of the API: how, where, and what it is answered with. */
export interface Operation<T> {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly answer: Reader<T>;
}

const OF_ACCOUNT = "/v1/accounts/{account_id}";

const get = <T>(path: string, answer: Reader<T>): Operation<T> => ({ method: "GET", path, answer });
const post = <T>(path: string, answer: Reader<T>): Operation<T> => ({
  ...{ method: "POST", path, answer },
});
const paged = <T>(item: Reader<T>) => record({ items: listOf(item), next_cursor: nullable(text) });

/** All that the client asks; a test holds it against the OpenAPI document. */
export const OPERATIONS = {
  balance: get(`${OF_ACCOUNT}/balance`, balance),
  allowance: get(`${OF_ACCOUNT}/allowance`, allowance),
  account: get(OF_ACCOUNT, account),
  createAccount: post("/v1/accounts", account),
  lots: get(`${OF_ACCOUNT}/lots`, paged(lot)),
  entries: get(`${OF_ACCOUNT}/entries`, paged(entry)),
  usage: get(`${OF_ACCOUNT}/usage`, usage),
  usageRecords: get(`${OF_ACCOUNT}/usage-records`, paged(usageRecord)),
  topUps: get(`${OF_ACCOUNT}/top-ups`, paged(topUp)),
  topUp: post(`${OF_ACCOUNT}/top-ups`, topUp),
  grant: post(`${OF_ACCOUNT}/grants`, granted),
  adjust: post(`${OF_ACCOUNT}/adjustments`, granted),
  subscribe: post(`${OF_ACCOUNT}/subscription`, record(schedule)),
  dashboardToken: post(`${OF_ACCOUNT}/dashboard-tokens`, dashboardToken),
  ingest: post("/v1/events", ingested),
} as const;

export type Answer<Name extends keyof typeof OPERATIONS> = Read<
  (typeof OPERATIONS)[Name]["answer"]
>;

/** What a stream tells; `reload`: more was missed than can be told, so read again what is shown. */
export const STREAM_EVENTS = {
  balance: record({
    account_id: text,
    version: amount,
    granted: amount,
    position: amount,
    balance: amount,
    changed_at: instant,
  }),
  credits: record({
    account_id: text,
    sequence: amount,
    kind: text,
    credits: amount,
    balance: amount,
    lot_id: nullable(text),
    reference: text,
    posted_at: instant,
  }),
  top_up: record({
    account_id: text,
    top_up_id: text,
    status: text,
    amount,
    currency: text,
    credits: amount,
    reason: text,
    changed_at: instant,
  }),
  reload: record({}),
} as const;

export type StreamEvent = {
  [Event in keyof typeof STREAM_EVENTS]: {
    readonly event: Event;
    readonly data: Read<(typeof STREAM_EVENTS)[Event]>;
  };
}[keyof typeof STREAM_EVENTS];
