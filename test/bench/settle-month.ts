/**
 * A run of the scheduler over all accounts that are due, as its service does it: prints, as JSON, how
 * many accounts moved, the milliseconds that it took, and the most memory that the process has had.
 */

import { addTotals, EMPTY_TOTALS, runSchedule } from "../../shared/ledger/month/run-schedule.ts";
import { openDatabase } from "../../shared/ledger/postgres/database.ts";
import { readSettings } from "../../shared/runtime/settings.ts";

const database = openDatabase(readSettings(process.env).database, {
  name: "settle-month",
  connections: 4,
  onError: (error) => console.error(error.message),
});
const clock = Date.now();
const startedAt = performance.now();
let done = EMPTY_TOTALS;
for await (const step of runSchedule(database, {
  clock,
  completeUntil: clock,
  noticeWithinMs: 0,
})) {
  done = addTotals(done, step.done);
}
const ms = performance.now() - startedAt;
const megabytes = (process.resourceUsage().maxRSS * 1024) / 1e6;
console.log(JSON.stringify({ accounts: done.accounts, ms, megabytes }));
await database.end();
