import type { AccountData } from "../../../shared/contract/account.ts";
import type { AutoTopUpData } from "../../../shared/contract/auto-top-up.ts";
import type { EntryData } from "../../../shared/contract/entry.ts";
import type { LotData } from "../../../shared/contract/lot.ts";
import type { PageData } from "../../../shared/contract/page.ts";
import type { PaymentData } from "../../../shared/contract/payment.ts";
import type { RunwayData } from "../../../shared/contract/runway.ts";
import type { UsageData } from "../../../shared/contract/usage.ts";
import type { ExplainedUsageData, UsageRecordData } from "../../../shared/contract/usage-record.ts";
import { type RequestOptions, request } from "./request.ts";

/** [from, to), in milliseconds since 1970. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

export type Grouping =
  | { readonly group: "meter" | "source" }
  | { readonly group: "dimension"; readonly dimension: string };

/** The calls that the page of one account makes. */
export type AccountApi = ReturnType<typeof accountApi>;

/** How many items a page shows, and how many an export loads at a time. */
const PAGE = "50";
export const EXPORTED = "1000";

/** The calls that a dashboard token allows, for one account. */
export function accountApi(token: string, accountId: string) {
  const base = `/v1/accounts/${encodeURIComponent(accountId)}`;
  const call = <T>(path: string, options?: RequestOptions): Promise<T> =>
    request<T>(token, base + path, options);
  const page = <T>(path: string, cursor: string | null, filter: Query = {}): Promise<PageData<T>> =>
    call(`${path}?${query({ limit: PAGE, ...filter, ...(cursor === null ? {} : { cursor }) })}`);
  /** Lists that are also exported, with more items a page. */
  const sized = (limit: string | undefined): Query => (limit === undefined ? {} : { limit });
  return {
    streamPath: `${base}/stream`,
    account: () => call<AccountData>(""),
    /** Lots with credits left, oldest first. An account has few. */
    lots: () => call<PageData<LotData>>(`/lots?${query({ live: "true", limit: "1000" })}`),
    lotUsage: (lotId: string, cursor: string | null, limit?: string) =>
      page<UsageRecordData>(`/lots/${encodeURIComponent(lotId)}/usage`, cursor, sized(limit)),
    entries: (cursor: string | null, limit?: string) =>
      page<EntryData>("/entries", cursor, sized(limit)),
    /** Top-ups, and the fees of a plan. */
    payments: (cursor: string | null, limit?: string) =>
      page<PaymentData>("/payments", cursor, sized(limit)),
    runway: () => call<RunwayData>("/runway"),
    records: (
      cursor: string | null,
      range: TimeRange | null,
      meter: string | null,
      limit?: string,
    ) =>
      page<UsageRecordData>("/usage-records", cursor, {
        ...sized(limit),
        ...(range === null ? {} : instants(range)),
        ...(meter === null ? {} : { meter }),
      }),
    explain: (eventId: string, source: string) =>
      call<ExplainedUsageData>(`/events/${encodeURIComponent(eventId)}?${query({ source })}`),
    usage: (range: TimeRange, by: "hour" | "day", grouping: Grouping) =>
      call<UsageData>(`/usage?${query({ ...instants(range), by, ...grouping })}`),
    setThreshold: (threshold: bigint) =>
      call<AccountData>("", { method: "PATCH", body: { threshold: threshold.toString() } }),
    setAutoTopUp: (enabled: boolean, amount: bigint, keepAfterSubscription: boolean) =>
      call<AutoTopUpData>("/auto-top-up", {
        method: "PATCH",
        body: {
          ...{ enabled, amount: amount.toString() },
          keep_after_subscription: keepAfterSubscription,
        },
      }),
    topUp: (amount: bigint, idempotencyKey: string) =>
      call<PaymentData>("/top-ups", {
        method: "POST",
        body: { amount: amount.toString() },
        idempotencyKey,
      }),
  };
}

type Query = Readonly<Record<string, string>>;

function query(parts: Query): string {
  return new URLSearchParams(parts).toString();
}

function instants({ from, to }: TimeRange): Query {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

/** Identifies an event within its account. */
export function eventKey({ source, event_id }: UsageRecordData): string {
  return JSON.stringify([source, event_id]);
}
