import type { OutageRetry } from "../../shared/kafka/client/retry-outages.ts";
import { listUnmatched } from "../../shared/ledger/payments/charges-at-gateway.ts";
import { isDatabaseOutage } from "../../shared/ledger/postgres/outage.ts";
import {
  goesOn,
  type ServerSeen,
  serverReader,
} from "../../shared/ledger/postgres/server-start.ts";
import type { Health } from "../../shared/runtime/health/health.ts";
import { compareCharges } from "./compare-charges.ts";
import { OutcomeUnknown } from "./gateways/payment-gateway.ts";
import type { PaymentContext } from "./payment-context.ts";
import { lostTopUps } from "./restore-lost.ts";

/** No server has this start. */
const NONE = "";
const NO_SERVER: ServerSeen = { start: NONE, history: null, position: 0n };
const LOOK_EVERY_MS = 1_000;
/** While payments wait for it. */
const RETRY_MS = 5_000;
/** After a failover: longer than a call that another connection's books knew of takes to make its charge. */
const CALLS_END_MS = 15_000;

/**
 * Compares the gateway's charges with the payments in the books, at the start, regularly, and on each new
 * Postgres server: its books may be those of an earlier instant (a backup, a standby that was behind). What they
 * lack comes back first. Until then no payment is sent to the gateway for the first time: the charge may be
 * there already, and the gateway forgets idempotency keys after a day.
 */
export function chargeWatch(
  context: PaymentContext & {
    readonly waits: OutageRetry;
    readonly stopping: AbortSignal;
  },
) {
  const { database, gateway, logger, waits } = context;
  const restoreLost = lostTopUps(context);
  const readServer = serverReader(database);
  const first = Promise.withResolvers<void>();
  /** The server that was last seen, and the start of the one whose books are compared. */
  let seen = NO_SERVER;
  let compared = NONE;
  let waitsSince = performance.now();
  let dueAt = 0;
  /** The end of calls that books of before knew of. */
  let notBefore = 0;

  async function look(): Promise<void> {
    const before = seen;
    seen = await readServer();
    if (seen.start === before.start || before.start === NONE) return;
    const isSame = goesOn(before, seen);
    const which = isSame ? "Postgres was restarted" : "another Postgres server";
    logger.warn(`${which}: its books are compared with the gateway's charges first`);
    waitsSince = performance.now();
    // A server that goes on knows of all calls.
    if (!isSame) notBefore = waitsSince + CALLS_END_MS;
    dueAt = 0;
  }

  async function compare(): Promise<void> {
    const asked = seen.start;
    const onNew = (server: string) => {
      // It was another one when comparing began, or is by now: that one is compared when its calls have ended.
      if (server !== asked || server !== seen.start) return;
      compared = server;
      first.resolve();
    };
    try {
      await compareCharges({ ...context, onNew });
      const charges = (await listUnmatched(database, null)).length;
      if (charges > 0) {
        logger.error({ charges }, "the books lack charges at the gateway: run drawdown reconcile");
      }
    } catch (error) {
      if (isDatabaseOutage(error)) throw error;
      // Payments that were sent go on, whatever the error is.
      const level = error instanceof OutcomeUnknown ? "warn" : "error";
      const waiting = compared === seen.start ? "" : "; new payments wait for that";
      logger[level]({ err: error }, `the gateway's charges could not be compared${waiting}`);
    }
    const nextMs =
      compared === seen.start ? gateway.listEveryMs : Math.min(RETRY_MS, gateway.listEveryMs);
    dueAt = performance.now() + nextMs;
  }

  return {
    /** The start of the Postgres server whose books are compared; empty: none is yet. */
    comparedOn: () => compared,
    /** Null: payments do not wait. */
    waiting(): { readonly reason: string; readonly forMs: number } | null {
      if (compared !== NONE && compared === seen.start) return null;
      const reason = "payments wait until the gateway's charges are compared with the books";
      return { reason, forMs: performance.now() - waitsSince };
    },
    /** Resolves once charges are compared, after `limitMs` at the latest. */
    async first(limitMs: number): Promise<void> {
      await Promise.race([first.promise, waits.pause(limitMs)]);
    },
    /** Runs until the service stops. */
    async run(): Promise<void> {
      const everyMs = Math.min(LOOK_EVERY_MS, gateway.listEveryMs);
      await waits.untilUp("Postgres", look);
      await Promise.all([
        // By itself: while a gateway does not answer, comparing takes long.
        waits.repeat("the Postgres server to compare on", async () => {
          await waits.pause(everyMs);
          await look();
        }),
        waits.repeat("charges to compare", async () => {
          if (performance.now() >= Math.max(dueAt, notBefore)) await compare();
          await restoreLost();
          await waits.pause(everyMs);
        }),
      ]);
    },
  };
}

/** Checks that no payment waits for the comparison of charges. */
export function checkCharges(
  health: Health,
  { waiting }: Pick<ReturnType<typeof chargeWatch>, "waiting">,
): void {
  health.state("charges", waiting);
}
