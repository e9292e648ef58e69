import { askHealth, type DownCheck } from "../../../shared/runtime/health/ask-health.ts";
import { reasonOf } from "../shell/with-database.ts";
import type { HealthAddress } from "./settings.ts";

/** `not_alive`: only a restart helps. `not_ready`: it cannot do its work now. */
export type ServiceState = "ready" | "not_ready" | "not_alive" | "unreachable";

export interface ServiceHealth extends HealthAddress {
  readonly state: ServiceState;
  readonly down: readonly DownCheck[];
  /** Why it gave no answer; null: it gave one. */
  readonly reason: string | null;
}

/** Asks all services concurrently. */
export function askServices(addresses: readonly HealthAddress[]): Promise<ServiceHealth[]> {
  return Promise.all(addresses.map(askService));
}

async function askService(service: HealthAddress): Promise<ServiceHealth> {
  const { address } = service;
  try {
    const [dead, down] = await Promise.all([
      askHealth(address, "/livez"),
      askHealth(address, "/readyz"),
    ]);
    const state = dead.length > 0 ? "not_alive" : down.length > 0 ? "not_ready" : "ready";
    return { ...service, state, down, reason: null };
  } catch (error) {
    return { ...service, state: "unreachable", down: [], reason: reasonOf(error) };
  }
}
