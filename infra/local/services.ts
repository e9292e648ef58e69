import type { Service } from "./supervise-services.ts";

/** What `npm start` runs. The command line is run by hand; the dashboard is served by the API. */
export const SERVICES: readonly Service[] = [
  { name: "metering", file: "services/metering/main.ts" },
];
