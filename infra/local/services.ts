import { resolve } from "node:path";
import type { Service } from "./supervise-services.ts";

const PROJECT = resolve(import.meta.dirname, "../..");

/**
 * A batch is garbage soon after it was worked on: a small young generation and an old one that is
 * collected early keep metering at two thirds of what Node's defaults let it grow to.
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

/** What `npm start` runs. The command line is run by hand; the dashboard is served by the API. */
export const SERVICES: readonly Service[] = [METERING_SERVICE, SCHEDULER_SERVICE];
