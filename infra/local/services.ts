import { resolve } from "node:path";
import type { Service } from "./supervise-services.ts";

const PROJECT = resolve(import.meta.dirname, "../..");

export const METERING_SERVICE: Service = {
  name: "metering",
  file: resolve(PROJECT, "services/metering/main.ts"),
};

/** What `npm start` runs. The command line is run by hand; the dashboard is served by the API. */
export const SERVICES: readonly Service[] = [METERING_SERVICE];
