import { formatInstant } from "../../../shared/core/text/instant-text.ts";
import { table } from "../shell/print.ts";
import type { ServiceHealth, ServiceState } from "./ask-services.ts";

const STATES: Readonly<Record<ServiceState, string>> = {
  ready: "ready",
  not_ready: "NOT READY",
  not_alive: "NOT ALIVE",
  unreachable: "UNREACHABLE",
};

/** No table where it is not known where services answer. */
export function servicesTable(services: readonly ServiceHealth[] | null): string[] {
  if (services === null) return [];
  return [
    table(services, [
      ["SERVICE", ({ name }) => name],
      ["STATE", ({ state }) => STATES[state]],
      ["WHERE", ({ address }) => address],
      ["", whyText],
    ]),
  ];
}

/** No line where the table says it. */
export function servicesLines(services: readonly ServiceHealth[] | null): [string, string][] {
  return services === null ? [["services", "unknown: HEALTH_ADDRESSES is not set"]] : [];
}

function whyText({ down, reason }: ServiceHealth): string {
  if (reason !== null) return reason;
  return down
    .map(({ check, since, reason: why }) => `${check} since ${formatInstant(since)}: ${why}`)
    .join("; ");
}
