/** A process that works for a while, then computes for ever. */
import { setTimeout as sleep } from "node:timers/promises";
import { startWatchdog } from "../../shared/runtime/watchdog.ts";

const [limitMs, workMs] = process.argv.slice(2).map(Number);
startWatchdog("test", limitMs ?? 0);
await sleep(workMs);
console.log("stands still");
computeForEver();

function computeForEver(): never {
  for (let rounds = 0; ; rounds += 1) Math.sqrt(rounds);
}
