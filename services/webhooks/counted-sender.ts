import { Counter, type Registry } from "prom-client";
import type { Sender } from "./send.ts";

/** The same sender, which counts what it sends. */
export function countedSender(sender: Sender, register: Registry): Sender {
  const deliveries = new Counter({
    name: "drawdown_webhook_deliveries_total",
    help: "Webhooks sent, by whether the endpoint took them.",
    ...{ labelNames: ["result"], registers: [register] },
  });
  // Of a counter that begins with its first increment, Prometheus never sees that one.
  for (const result of ["taken", "failed"]) deliveries.inc({ result }, 0);
  return {
    ...sender,
    async send(...delivery) {
      const answer = await sender.send(...delivery);
      if (answer !== null) deliveries.inc({ result: answer.problem === null ? "taken" : "failed" });
      return answer;
    },
  };
}
