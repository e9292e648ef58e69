import { type Run, runMetering, runPrinting } from "./consume.ts";
import { type Figure, rateFigure } from "./figure.ts";
import { openGranted } from "./granted-accounts.ts";
import { type Bench, backlog, inTurn } from "./throughput.ts";
import { runCommand } from "./whole-command.ts";

const ACCOUNTS = 10_000;

/** Usage compared with its records, beside bare consume and decode; and the time of the whole command. */
export async function reconciles(bench: Bench): Promise<Figure[]> {
  const load = { events: bench.events, accounts: ACCOUNTS, repeatsPercent: 0 };
  const total = await backlog(bench, load);
  const url = await bench.books.make(0, 1);
  try {
    await openGranted(bench.servers.env, url, ACCOUNTS);
    bench.say("metering what is to be reconciled");
    await runMetering(bench.servers, url, total);
    const run = (file: string): Promise<Run> => runPrinting(bench.servers, { file, url, total });
    const pairs = await inTurn(bench, "reconcile", {
      floor: () => run("test/bench/bare-decode.ts"),
      subject: () => run("test/bench/reconcile-usage.ts"),
    });
    const whole = await runCommand(bench, url, ["reconcile", "--json"]);
    return [
      rateFigure("reconcile", pairs, "consume and decode", { atLeast: 0.4 }),
      {
        name: `the whole command, ${total.toLocaleString("en")} events`,
        value: total / whole.seconds,
        unit: "events/s",
      },
      {
        name: "memory of reconcile",
        value: whole.peakMegabytes,
        unit: "MB",
        target: { atMost: 400 },
      },
    ];
  } finally {
    await bench.books.drop(url);
  }
}
