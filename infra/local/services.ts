import { resolve } from "node:path";
import type { Service } from "./supervise-services.ts";

const PROJECT = resolve(import.meta.dirname, "../..");

/**
 * Batches are garbage soon after processing. A small young generation and early collection of the old
 * one reduce metering's memory by a third.
 */
const NODE_OPTIONS = ["--max-semi-space-size=16", "--heap-growing-percent=30"];

export const METERING_SERVICE: Service = {
  name: "metering",
  file: resolve(PROJECT, "services/metering/main.ts"),
  nodeOptions: NODE_OPTIONS,
};

export const SCHEDULER_SERVICE: Service = {
  name: "scheduler",
  file: resolve(PROJECT, "services/scheduler/main.ts"),
  nodeOptions: NODE_OPTIONS,
};

export const TOP_UP_SERVICE: Service = {
  name: "top-up",
  file: resolve(PROJECT, "services/top-up/main.ts"),
  nodeOptions: NODE_OPTIONS,
};

export const WEBHOOKS_SERVICE: Service = {
  name: "webhooks",
  file: resolve(PROJECT, "services/webhooks/main.ts"),
  nodeOptions: NODE_OPTIONS,
};

export const API_SERVICE: Service = {
  name: "api",
  file: resolve(PROJECT, "services/api/main.ts"),
};

/** Stands in for a real payment gateway; it refuses to run in production. */
export const SIMULATED_GATEWAY: Service = {
  name: "simulated-gateway",
  file: resolve(PROJECT, "infra/simulated-gateway/main.ts"),
};

/** The services that `npm start` runs. The API serves the dashboard. */
export const SERVICES: readonly Service[] = [
  ...[METERING_SERVICE, SCHEDULER_SERVICE, TOP_UP_SERVICE, WEBHOOKS_SERVICE, API_SERVICE],
];
