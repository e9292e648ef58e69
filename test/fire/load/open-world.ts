import { join } from "node:path";
import type { Stage } from "../stage/stage.ts";
import { ALERT_LEVELS, asksForAlerts, BUDGETS, type FireAccount, hasBudgets } from "./accounts.ts";
import { type Api, openApi } from "./api.ts";
import { mustDrawdown } from "./commands.ts";

const CATALOGUE = join(import.meta.dirname, "catalogue.yaml");
const CONCURRENCY = 8;
/** Cents. The load uses up more in minutes than customers let themselves be charged in a month. */
const NO_LIMIT = "100000000";

/** Prices, an admin key and the accounts, all as a user would make them, before any fault. */
export async function openWorld(stage: Stage, accounts: readonly FireAccount[]): Promise<Api> {
  await mustDrawdown(stage.env, "catalogue", "apply", CATALOGUE);
  const made = await mustDrawdown(stage.env, "key", "create", "fire", "--scope", "admin", "--json");
  const ports = stage.running("api").map(({ port }) => port ?? 0);
  const api = openApi(ports, (JSON.parse(made) as { key: string }).key);
  const left = accounts.values();
  const work = async () => {
    for (const account of left) await openAccount(api, account);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return api;
}

async function openAccount(api: Api, account: FireAccount): Promise<void> {
  const { id, kind, grants, card, plan } = account;
  const place = `/v1/accounts/${id}`;
  await api.must("POST", "/v1/accounts", { account_id: id, time_zone: "UTC", currency: "USD" });
  for (const [index, credits] of grants.entries()) {
    const lot = { lot_id: lotIdOf(index), credits: String(credits * 1_000_000) };
    await api.must("POST", `${place}/grants`, { ...lot, expires_at: null });
  }
  if (card !== null) {
    await api.must("PUT", `${place}/payment-method`, { customer: `cus_${id}`, method: card });
  }
  if (kind === "low" || kind === "planned") {
    const limits = { limit_per_day: NO_LIMIT, limit_per_month: NO_LIMIT };
    await api.must("PATCH", `${place}/auto-top-up`, limits);
  }
  if (asksForAlerts(account)) {
    const percents = { month_percents: ALERT_LEVELS, budget_percents: ALERT_LEVELS };
    const levels = { ...percents, runway_days: null };
    await api.must("PUT", `${place}/alert-settings`, levels);
  }
  if (hasBudgets(account)) {
    for (const { window, credits } of BUDGETS) {
      await api.must("PUT", `${place}/budgets/model/${window}`, { credits: String(credits) });
    }
  }
  if (plan === null) return;
  const { interval, addOns } = plan;
  await api.must("POST", `${place}/subscription`, { plan_id: "starter", interval });
  if (addOns > 0) await api.must("PUT", `${place}/add-ons/concurrency`, { quantity: addOns });
}

/** The id of an account's grant, counted from 0. */
function lotIdOf(index: number): string {
  return `granted-${index}`;
}
