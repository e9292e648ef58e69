import { sqlState } from "./database.ts";
import { PoolerBetween } from "./refuse-pooler.ts";
import { isReadOnly } from "./replace-connections.ts";

// Connection, insufficient resources, operator intervention, system error: classes of SQLSTATE.
const OUTAGE_CLASSES = new Set(["08", "53", "57", "58"]);
const CONNECTION_ERRORS =
  /ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|Connection terminated|connection error|timeout/i;

/** True when Postgres is unreachable, unavailable or only reads, so that the same work can succeed later. */
export function isDatabaseOutage(error: unknown): boolean {
  if (isReadOnly(error)) return true;
  // Its message quotes the pooler, which may name a time-out.
  if (error instanceof PoolerBetween) return false;
  const state = sqlState(error);
  if (state !== null) return OUTAGE_CLASSES.has(state.slice(0, 2));
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return CONNECTION_ERRORS.test(`${code} ${error.message}`);
}
