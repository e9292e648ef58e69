import type { AccountData } from "../../../shared/contract/account.ts";
import type { AutoTopUpData } from "../../../shared/contract/auto-top-up.ts";
import type { BudgetData } from "../../../shared/contract/budget.ts";
import type { DisplayNamesData } from "../../../shared/contract/display-name.ts";
import type { EntryData } from "../../../shared/contract/entry.ts";
import type { LotData } from "../../../shared/contract/lot.ts";
import type { PageData } from "../../../shared/contract/page.ts";
import type { PaymentData, PaymentOfAccountData } from "../../../shared/contract/payment.ts";
import type { RunwayData } from "../../../shared/contract/runway.ts";
import type { UsageData } from "../../../shared/contract/usage.ts";
import type { ExplainedUsageData, UsageRecordData } from "../../../shared/contract/usage-record.ts";
import { downloadCsv } from "./download.ts";
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

const PAGE = "50";

/** The calls that a dashboard token allows, for one account. */
export function accountApi(token: string, accountId: string) {
  const base = `/v1/accounts/${encodeURIComponent(accountId)}`;
  const call = <T>(path: string, options?: RequestOptions): Promise<T> =>
    request<T>(token, base + path, options);
  const page = <T>(path: string, cursor: string | null, filter: Query = {}): Promise<PageData<T>> =>
    call(`${path}?${query({ limit: PAGE, ...filter, ...(cursor === null ? {} : { cursor }) })}`);
  const download = (path: string, filter: Query, onBytes: OnBytes) =>
    downloadCsv(token, `${base}${path}?${query(filter)}`, onBytes);
  return {
    accountId,
    streamPath: `${base}/stream`,
    account: () => call<AccountData>(""),
    /** Lots with credits left, oldest first. An account has few. */
    lots: () => call<PageData<LotData>>(`/lots?${query({ live: "true", limit: "1000" })}`),
    lotUsage: (lotId: string, cursor: string | null) =>
      page<UsageRecordData>(lotUsagePath(lotId), cursor),
    entries: (cursor: string | null) => page<EntryData>("/entries", cursor),
    /** Top-ups, and the fees of a plan. */
    payments: (cursor: string | null) => page<PaymentOfAccountData>("/payments", cursor),
    /** What values of dimensions may spend, the fullest first. */
    budgets: (cursor: string | null) => page<BudgetData>("/budgets", cursor),
    /** Names of the ids that the page shows. */
    names: () => call<DisplayNamesData>("/names"),
    runway: () => call<RunwayData>("/runway"),
    records: (cursor: string | null, range: TimeRange | null, meter: string | null) =>
      page<UsageRecordData>("/usage-records", cursor, usageFilter(range, meter)),
    /** Whole lists as files. */
    csv: {
      lots: () => (onBytes: OnBytes) => download("/lots", {}, onBytes),
      lotUsage: (lotId: string) => (onBytes: OnBytes) => download(lotUsagePath(lotId), {}, onBytes),
      entries: (range: TimeRange) => (onBytes: OnBytes) =>
        download("/entries", instants(range), onBytes),
      payments: () => (onBytes: OnBytes) => download("/payments", {}, onBytes),
      records: (range: TimeRange, meter: string | null) => (onBytes: OnBytes) =>
        download("/usage-records", usageFilter(range, meter), onBytes),
      usage: (range: TimeRange, by: "hour" | "day", grouping: Grouping) => (onBytes: OnBytes) =>
        download("/usage", { ...instants(range), by, ...grouping }, onBytes),
    },
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
type OnBytes = (bytes: number) => void;

function lotUsagePath(lotId: string): string {
  return `/lots/${encodeURIComponent(lotId)}/usage`;
}

function usageFilter(range: TimeRange | null, meter: string | null): Query {
  return {
    ...(range === null ? {} : instants(range)),
    ...(meter === null ? {} : { meter }),
  };
}

function query(parts: Query): string {
  return new URLSearchParams(parts).toString();
}

function instants({ from, to }: TimeRange): Query {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

/** Identifies a record within its account: an event of several meters has one for each. */
export function recordKey({ source, event_id, meter }: UsageRecordData): string {
  return JSON.stringify([source, event_id, meter]);
}

/** Identifies a budget within its account. */
export function budgetKey({ dimension, value, window }: BudgetData): string {
  return JSON.stringify([dimension, value, window]);
}
