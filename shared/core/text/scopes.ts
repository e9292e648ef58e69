/** What an API key may do; `admin` includes the others. Each route names the scopes that open it. */
export const SCOPES = [
  "ingest",
  "read",
  "dashboard",
  "billing",
  "catalogue",
  "dead_letters",
  "metrics",
  "admin",
] as const;

export type Scope = (typeof SCOPES)[number];
