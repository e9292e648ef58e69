import type { Instant } from "../../shared/core/line/account.ts";
import { endOfLot, GRACE_MS } from "../../shared/core/month/expiry.ts";
import { anchorOf, periodStart } from "../../shared/core/offer/billing-periods.ts";
import { fieldOf, openCommands } from "./commands.ts";

const ACCOUNT = "demo-studio";
const ZONE = "America/New_York";
const HOUR_MS = 60 * 60 * 1000;

/**
 * The first month's usage, 252.5 credits: 40 minutes of voice, a hundred queries and two models' tokens, one of
 * them with a context so long that it costs twice as much.
 */
const USAGE = [
  assistant(1_000_000, { model: "sonata", kind: "input", context_tokens: "1000000" }),
  assistant(1_200_000, { model: "prelude-3", kind: "output" }),
  { account_id: ACCOUNT, meter: "voice.milliseconds", quantity: 40 * 60 * 1000 },
  { account_id: ACCOUNT, meter: "kb.queries", quantity: 100 },
];
const CHARGED = 100_000_000n;
const USED = 252_500_000n;

/**
 * Shows two turns of the month on an account of its own: the month's credits and fee, an add-on's
 * charge, what rolls over and what expires. It moves the clock ahead for all accounts, so it needs
 * books that belong to the demo alone.
 */
export async function showMonth(
  env: NodeJS.ProcessEnv,
  now: Instant,
  say: (line: string) => void,
): Promise<void> {
  const { type, publish, until } = openCommands(env, say);
  const anchor = anchorOf(now, "first_of_month", ZONE);
  const afterTurn = new Date(periodStart(anchor, 1, ZONE) + GRACE_MS).toISOString();
  // The first lot is granted within the hour.
  const firstEnd = endOfLot({ kind: "usual" }, now + HOUR_MS, ZONE) ?? now;
  const afterExpiry = new Date(firstEnd + GRACE_MS).toISOString();

  say("\nThe month: credits that roll over, and credits that expire");
  await type(`account create ${ACCOUNT} --time-zone ${ZONE}`);
  await type(`payment-method set ${ACCOUNT} --customer cus_studio --method card_approve`);
  await type(`subscription start ${ACCOUNT} starter`);
  await type(`add-on set ${ACCOUNT} knowledge_bases 2`);
  await publish(USAGE);
  await until("the usage of the month is metered", `account show ${ACCOUNT}`, (shown) => {
    return BigInt(String(fieldOf(shown, "position") ?? 0)) >= CHARGED + USED;
  });
  await type(`lots ${ACCOUNT}`);
  await type(`scheduler run --at ${afterTurn} --yes`);
  await type(`lots ${ACCOUNT}`);
  await type(`scheduler run --at ${afterExpiry} --yes`);
  await type(`lots ${ACCOUNT}`);
  await type(`entries ${ACCOUNT}`);
  await type(`payments ${ACCOUNT}`);
}

function assistant(quantity: number, dimensions: Readonly<Record<string, string>>) {
  return { account_id: ACCOUNT, meter: "assistant.tokens", quantity, dimensions };
}
