/** An account with made-up books, told as the API tells it, for what a real stack cannot be made to do. */
export interface StubAccount {
  readonly accountId: string;
  version: bigint;
  position: bigint;
  readonly lots: {
    lot_id: string;
    source: string;
    reference: string;
    start: string;
    end: string;
    granted_at: string;
    expires_at: string | null;
  }[];
  readonly topUps: unknown[];
}

const CREDIT = 1_000_000n;
const DAY = 86_400_000;

const iso = (at: number): string => new Date(at).toISOString();

/** An account with lots of these sizes, in credits, of which so many are used. */
export function stubAccount(sizes: readonly number[], used: number): StubAccount {
  let end = 0n;
  const lots = sizes.map((size, i) => {
    const start = end;
    end += BigInt(size) * CREDIT;
    return {
      lot_id: `lot-${i}`,
      source: i % 2 === 0 ? "plan" : "top_up",
      reference: i % 2 === 0 ? "growth" : "10.00 USD",
      start: String(start),
      end: String(end),
      granted_at: iso(Date.now() - 10 * DAY),
      expires_at: iso(Date.now() + (9 + i) * DAY),
    };
  });
  const position = BigInt(used) * CREDIT;
  return { accountId: "northwind", version: 1n, position, lots, topUps: [] };
}

/** The end of the line. */
function grantedOf({ lots }: StubAccount): bigint {
  return BigInt(lots.at(-1)?.end ?? "0");
}

/** Its line as the stream and the API tell it. */
export function lineOf(account: StubAccount) {
  const granted = grantedOf(account);
  return {
    account_id: account.accountId,
    version: String(account.version),
    granted: String(granted),
    position: String(account.position),
    balance: String(granted - account.position),
    changed_at: iso(Date.now()),
  };
}

/** What the API answers to a GET below the account's path; undefined where it has no such route. */
export function answerOf(account: StubAccount, path: string): unknown {
  const balance = grantedOf(account) - account.position;
  const record = {
    event_id: "event-1",
    meter: "voice.milliseconds",
    quantity: "62400",
    credits: "12480000",
    occurred_at: iso(Date.now() - 1000),
    source: "dialer",
    dimensions: { agent: "<b>anna</b>" },
  };
  const list = (items: readonly unknown[]) => ({ items, next_cursor: null });
  const bucket = { at: iso(Date.now()), key: record.meter, credits: record.credits };
  const answers: Readonly<Record<string, unknown>> = {
    "": { ...lineOf(account), ...SETTINGS },
    "/lots": list(account.lots),
    "/lots/lot-0/usage": list([record]),
    "/entries": list([]),
    "/usage-records": list([record]),
    "/top-ups": list(account.topUps),
    "/usage": { total: record.credits, buckets: [{ ...bucket, events: 1, quantity: "62400" }] },
    "/runway": {
      balance: String(balance),
      pace_per_day: "312000000",
      pace_from: iso(Date.now() - 7 * DAY),
      pace_to: iso(Date.now()),
      lasts_until: iso(Date.now() + 40 * DAY),
      expires_unused: "0",
    },
  };
  return answers[path];
}

const SETTINGS = {
  time_zone: "Europe/Prague",
  currency: "USD",
  threshold: "0",
  low_balance: false,
  auto_top_up: {
    enabled: true,
    amount: "1000",
    limit_per_day: "10000",
    limit_per_month: "50000",
    paused_until: null,
    stopped: null,
  },
  payment_method: { set: true },
  subscription: null,
  add_ons: [],
};
