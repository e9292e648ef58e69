/** A valid body for each route, for an account that meets its conditions. */
export const GOOD_BODIES = {
  "POST /v1/accounts": { account_id: "new" },
  "PATCH /v1/accounts/{account_id}": { threshold: "5" },
  "POST /v1/accounts/{account_id}/grants": { credits: "1", lot_id: "gift" },
  "POST /v1/accounts/{account_id}/adjustments": { credits: "1", reference: "ticket 7" },
  "POST /v1/accounts/{account_id}/holds": { hold_id: "run", credits: "1" },
  "PATCH /v1/accounts/{account_id}/holds/{hold_id}": { ttl_seconds: 60 },
  "POST /v1/accounts/{account_id}/holds/{hold_id}/capture": { credits: "1" },
  "PUT /v1/accounts/{account_id}/budgets/{dimension}/{window}": { credits: "1" },
  "PUT /v1/accounts/{account_id}/budgets/{dimension}/{window}/values/{value}": { credits: "1" },
  "POST /v1/accounts/{account_id}/rates": { discount: "10", reason: "a test" },
  "POST /v1/accounts/{account_id}/top-ups": { amount: "1000" },
  "PATCH /v1/accounts/{account_id}/auto-top-up": { enabled: false },
  "PATCH /v1/accounts/{account_id}/top-up-ceilings": { amount: "1000" },
  "POST /v1/accounts/{account_id}/subscription": { plan_id: "hundred" },
  "PATCH /v1/accounts/{account_id}/subscription": { interval: "year" },
  "PUT /v1/accounts/{account_id}/add-ons/{add_on_id}": { quantity: 1 },
  "PUT /v1/accounts/{account_id}/invoicing": { elsewhere: true },
  "PUT /v1/accounts/{account_id}/payment-method": { customer: "cus_1", method: "pm_1" },
  "POST /v1/accounts/{account_id}/payments/{payment_id}/refunds": { amount: "1" },
  "POST /v1/dead-letters/{topic}/{partition}/{offset}/dismissals": { why: "a test" },
  "POST /v1/dead-letters/retries": { reason: "conflict" },
  "POST /v1/dead-letters/dismissals": { reason: "conflict", why: "a test" },
  "POST /v1/catalogue/previews": { add_ons: { seat: { credits: 5 } } },
  "POST /v1/catalogue/changes": { add_ons: { seat: { credits: 5 } } },
  "POST /v1/estimate": { meter: "call", quantity: "1" },
  "POST /v1/keys": { name: "shop", scopes: ["read"] },
  "POST /v1/accounts/{account_id}/dashboard-tokens": { minutes: 5 },
  "PUT /v1/accounts/{account_id}/alert-settings": {
    month_percents: [50],
    budget_percents: [80],
    runway_days: 3,
  },
  "POST /v1/webhooks": { url: "https://127.0.0.1/", types: ["billing.low-balance"] },
} as const satisfies Record<string, Record<string, unknown>>;

export type BodyRoute = keyof typeof GOOD_BODIES;

export interface BadBody {
  readonly what: string;
  readonly payload: string;
  readonly type?: string;
  readonly status: number;
  readonly field: string;
}

const MEGABYTES_10 = 10 * 1024 * 1024;

/** Invalid bodies, made from valid ones. */
export function badBodies(route: BodyRoute): BadBody[] {
  const good: Record<string, unknown> = GOOD_BODIES[route];
  const json = JSON.stringify(good);
  const isFile = route.startsWith("POST /v1/catalogue/");
  return [
    { what: "broken JSON", payload: json.slice(0, -1), status: 400, field: "body" },
    { what: "no JSON", payload: "credits=1", status: 400, field: "body" },
    { what: "nothing", payload: "", status: 400, field: "body" },
    { what: "a list", payload: `[${json}]`, status: 400, field: "body" },
    { what: "text", payload: '"text"', status: 400, field: "body" },
    { what: "null", payload: "null", status: 400, field: "body" },
    {
      what: "brackets in brackets",
      payload: nested(isFile ? 30_000 : 100_000),
      status: 400,
      field: "body",
    },
    { what: "10 MB", payload: `"${"x".repeat(MEGABYTES_10)}"`, status: 413, field: "body" },
    {
      what: "__proto__",
      payload: '{"__proto__":{"credits":"1"}}',
      status: 400,
      // A file's problems name their place in it.
      field: isFile ? "__proto__" : "body",
    },
    { what: "plain text", payload: json, type: "text/plain", status: 415, field: "Content-Type" },
    { what: "XML", payload: "<a/>", type: "application/xml", status: 415, field: "Content-Type" },
    {
      what: "a field that is not known",
      payload: JSON.stringify({ ...good, nonsense: 1 }),
      status: 400,
      field: "nonsense",
    },
    ...Object.keys(good).map((field) => ({
      what: `an object in the place of ${field}`,
      payload: JSON.stringify({ ...good, [field]: {} }),
      status: 400,
      field,
    })),
  ];
}

function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

/** A value that a field does not accept, in an otherwise valid body. */
export interface BadValue {
  readonly route: BodyRoute;
  readonly field: string;
  readonly value: unknown;
  /** Default: 400. */
  readonly status?: number;
}

const GRANT = "POST /v1/accounts/{account_id}/grants";
const ACCOUNT = "POST /v1/accounts";

export const BAD_VALUES: readonly BadValue[] = [
  ...[1, 1.5, true, null, "", "1.5", "1e3", " 1", "1,000", "0x10", "٣", "--1", "+1", "01"].map(
    (value) => ({ route: GRANT, field: "credits", value }) as const,
  ),
  { route: GRANT, field: "credits", value: "9".repeat(19) },
  { route: GRANT, field: "credits", value: "9".repeat(1_000) },
  { route: GRANT, field: "credits", value: "0", status: 422 },
  { route: GRANT, field: "credits", value: "-1", status: 422 },
  { route: GRANT, field: "credits", value: String(2n ** 63n - 1n), status: 422 },
  ...["2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-09-01T24:01:00Z"].map(
    (value) => ({ route: GRANT, field: "expires_at", value }) as const,
  ),
  { route: GRANT, field: "expires_at", value: "2026-09-01" },
  { route: GRANT, field: "expires_at", value: "tomorrow" },
  { route: GRANT, field: "expires_at", value: "+275760-09-13T00:00:00Z" },
  { route: GRANT, field: "expires_at", value: 1_800_000_000 },
  { route: GRANT, field: "expires_at", value: "1999-01-01T00:00:00Z", status: 422 },
  { route: GRANT, field: "lot_id", value: "" },
  { route: GRANT, field: "lot_id", value: "x".repeat(257) },
  { route: GRANT, field: "lot_id", value: "a\0b" },
  { route: GRANT, field: "lot_id", value: "\ud800" },
  { route: GRANT, field: "lot_id", value: "plan:1", status: 422 },
  { route: GRANT, field: "source", value: "gift" },
  { route: GRANT, field: "reference", value: "x".repeat(1_025) },
  { route: GRANT, field: "reference", value: "a\0b" },
  { route: ACCOUNT, field: "account_id", value: "" },
  { route: ACCOUNT, field: "account_id", value: "🦩".repeat(129) },
  { route: ACCOUNT, field: "account_id", value: "a\0b" },
  { route: ACCOUNT, field: "account_id", value: "half \udfff" },
  { route: ACCOUNT, field: "account_id", value: "\ufffd" },
  ...[".", "..", "a/b", "a\nb", " a", "a\u007f"].map(
    (value) => ({ route: ACCOUNT, field: "account_id", value }) as const,
  ),
  { route: ACCOUNT, field: "time_zone", value: "Mars/Olympus" },
  { route: ACCOUNT, field: "time_zone", value: "+02:00" },
  { route: ACCOUNT, field: "currency", value: "ZZZ" },
  { route: ACCOUNT, field: "threshold", value: 5 },
  { route: ACCOUNT, field: "threshold", value: "-1" },
  { route: "POST /v1/accounts/{account_id}/adjustments", field: "reference", value: "" },
  {
    route: "POST /v1/accounts/{account_id}/adjustments",
    field: "credits",
    value: "0",
    status: 422,
  },
  { route: "POST /v1/accounts/{account_id}/subscription", field: "interval", value: "week" },
  { route: "PUT /v1/accounts/{account_id}/add-ons/{add_on_id}", field: "quantity", value: -1 },
  { route: "PUT /v1/accounts/{account_id}/add-ons/{add_on_id}", field: "quantity", value: 0.5 },
  { route: "PUT /v1/accounts/{account_id}/add-ons/{add_on_id}", field: "quantity", value: 1e9 },
  ...["", "4242424242424242", "4242 4242-4242 4242"].map(
    (value) =>
      ({ route: "PUT /v1/accounts/{account_id}/payment-method", field: "method", value }) as const,
  ),
  { route: "POST /v1/dead-letters/retries", field: "reason", value: "none" },
  { route: "POST /v1/dead-letters/retries", field: "reason", value: null, status: 422 },
  { route: "POST /v1/dead-letters/dismissals", field: "reason", value: null },
  { route: "POST /v1/dead-letters/dismissals", field: "why", value: " " },
  { route: "POST /v1/keys", field: "scopes", value: [] },
  { route: "POST /v1/keys", field: "scopes.0", value: ["root"] },
  { route: "POST /v1/accounts/{account_id}/dashboard-tokens", field: "minutes", value: 0 },
  { route: "POST /v1/accounts/{account_id}/dashboard-tokens", field: "minutes", value: 1e9 },
];
