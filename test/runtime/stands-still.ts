/** A process that works for a while, then computes for ever; with `stopped`, its watchdog is stopped before. */
import { setTimeout as sleep } from "node:timers/promises";
import { startWatchdog } from "../../shared/runtime/watchdog.ts";

const [limitMs, workMs, isStopped] = process.argv.slice(2);
const watchdog = startWatchdog("test", Number(limitMs));
await sleep(Number(workMs));
if (isStopped === "stopped") await watchdog.stop();
console.log("stands still");
computeForEver();

function computeForEver(): never {
  for (let rounds = 0; ; rounds += 1) Math.sqrt(rounds);
}
