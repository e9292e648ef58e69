/**
 * Books that go back again and again, in orders drawn from seeds: payments by need and by hand, declines, answers that
 * never come, crashes and outcomes that come late. Whatever the order, in the end each charge is in the books once, and
 * no payment was charged twice.
 */
import { expect, test } from "vitest";
import { compareCharges } from "../../services/top-up/compare-charges.ts";
import { openSimulatedGateway } from "../../services/top-up/gateways/simulated/gateway.ts";
import { processPayment } from "../../services/top-up/process-payment.ts";
import { lostTopUps } from "../../services/top-up/restore-lost.ts";
import { type Settle, settlingInSets } from "../../services/top-up/settle-in-sets.ts";
import { toAccountId } from "../../shared/core/text/text.ts";
import { autoTopUpsToLookAt } from "../../shared/ledger/books/auto-top-ups.ts";
import { listUnmatched } from "../../shared/ledger/payments/charges-at-gateway.ts";
import { claimPayments } from "../../shared/ledger/payments/claim.ts";
import { topUpByHand, topUpIfLow } from "../../shared/ledger/payments/top-up-account.ts";
import { randomFrom } from "../model/random.ts";
import { type Books, copyBooks, openBooks, setPrice } from "../support/books/books.ts";
import { brokenInvariants } from "../support/books/invariants.ts";
import { openPayer, sellCredits, use } from "../support/books/payers.ts";
import { silent } from "../support/kafka/kafka.ts";
import { openGateway } from "../support/processes/simulated-gateway.ts";
import { WEBHOOK_SECRET } from "../support/processes/top-up-process.ts";

const HOUR = 60 * 60_000;
const CREDIT = 1_000_000n;
const STEPS = 60;
const ANSWERS = [
  ...["approve", "approve", "decline", "webhook_twice"],
  ...["break_after_charge", "500_after_charge", "500_before_charge"],
];
const IDS = ["ann", "ben"] as const;

// In each of these a charge is made twice where payments do not wait for the comparison of charges.
test.each([16, 20, 33])("an order of seed %i", async (seed) => {
  const world = await openWorld(seed);
  const taken: string[] = [];
  const take = (step: string, run: () => Promise<unknown>) => {
    taken.push(step);
    return run();
  };
  for (let step = 0; step < STEPS; step += 1) await take(...world.nextStep());
  await world.settleAll();
  expect(await world.problems(), taken.join(", ")).toEqual([]);
  await world.close();
});

/** Books and a gateway, and what may happen to them. */
async function openWorld(seed: number) {
  const random = randomFrom(seed);
  // Either it keeps keys, or more time than that passes before books come back.
  const keepsKeys = random.chance(0.5);
  const server = await openGateway({ keysKeptMs: keepsKeys ? 24 * HOUR : 0 });
  const gateway = openSimulatedGateway({ url: server.url, webhookSecret: WEBHOOK_SECRET });
  let books = await openBooks();
  let backup: { readonly books: Books; readonly used: number } | null = null;
  let isCompared = true;
  let aheadMs = 0;
  let manual = 0;
  /** In the order of their topic; the first ones of it are metered. */
  const usage: Readonly<Record<string, bigint>>[] = [];
  let metered = 0;
  const late: (() => Promise<unknown>)[] = [];
  const now = () => Date.now() + aheadMs;
  const comparedOn = () => (isCompared ? null : "another server");

  await sellCredits(books);
  await setPrice(books, "call", 1n);
  for (const id of IDS) {
    const script = Array.from({ length: 12 }, () => random.pick(ANSWERS));
    await server.send("PUT", `/v1/cards/card_approve-${id}`, { script: [...script, "approve"] });
    await openPayer(books, id, { card: `card_approve-${id}` });
  }

  async function meter() {
    if (metered === usage.length) {
      usage.push({ [random.pick(IDS)]: BigInt(random.between(50, 550)) * CREDIT });
    }
    await use(books, usage[metered] ?? {}, now());
    metered += 1;
    await decide();
  }

  async function decide() {
    const waiting = await autoTopUpsToLookAt(books.database, now(), 100);
    const low = [...new Set([...waiting, ...IDS.map(toAccountId)])];
    await topUpIfLow(books.database, low, now(), comparedOn());
  }

  async function charge(settleOf: (settle: Settle) => Settle | null = (settle) => settle) {
    const { database } = books;
    const due = { now: now(), gateway: gateway.name, comparedOn: comparedOn() };
    const claimed = await claimPayments(database, { ...due, limit: 2, leaseMs: 60_000 });
    const settle = settleOf(settlingInSets({ database, now }));
    if (settle === null) return claimed.length;
    const context = { database, gateway, logger: silent, now, settle };
    // What fails is logged by the service, and asked about once its claim is over.
    for (const each of claimed) await processPayment(context, each).catch(() => undefined);
    return claimed.length;
  }

  const crashBefore = () => charge(() => null);
  const crashAfter = () => charge(() => () => Promise.reject(new Error("killed")));
  const chargeSlowly = () =>
    charge(() => async (outcome) => {
      late.push(() => settlingInSets({ database: books.database, now })(outcome));
      return { kind: "already_settled" };
    });
  const settleLate = async () => late.shift()?.();

  async function byHand() {
    manual += 1;
    const at = { accountId: toAccountId(random.pick(IDS)), now: now() };
    const paymentId = `manual:${random.between(Math.max(1, manual - 1), manual)}`;
    await topUpByHand(books.database, at, { paymentId, amount: 1_000n });
  }

  async function compare() {
    await compareCharges({ database: books.database, gateway, now: Date.now });
    isCompared = true;
    await lostTopUps({ database: books.database, gateway, logger: silent, now })();
  }

  async function backUp() {
    backup ??= { books: await copyBooks(books), used: metered };
  }

  async function goBack() {
    if (backup === null) return;
    await books.close();
    books = backup.books;
    metered = backup.used;
    backup = null;
    isCompared = false;
    if (!keepsKeys) aheadMs += 48 * HOUR;
  }

  async function pass() {
    aheadMs += random.between(0, 2) * HOUR;
  }

  const steps = [
    [5, ["meter", meter]],
    [1, ["decide", decide]],
    [1, ["by hand", byHand]],
    [1, ["hours pass", pass]],
    [3, ["charge", charge]],
    [1, ["crash before", crashBefore]],
    [1, ["crash after", crashAfter]],
    [2, ["charge slowly", chargeSlowly]],
    [1, ["settle late", settleLate]],
    [1, ["compare", compare]],
    [2, ["back up", backUp]],
    [2, ["go back", goBack]],
  ] as const;

  return {
    nextStep(): readonly [string, () => Promise<unknown>] {
      const [step, run] = random.pickWeighted<readonly [string, () => Promise<unknown>]>(steps);
      return [step, () => run()];
    },
    async settleAll() {
      for (const settle of late) await settle();
      while (metered < usage.length) await meter();
      // Longer than a claim, and than the waits after declines.
      for (let hour = 0; hour < 30; hour += 1) {
        await compare();
        await decide();
        while ((await charge()) > 0);
        aheadMs += HOUR;
      }
    },
    async problems(): Promise<string[]> {
      const charges = (await server.payments()) as Charge[];
      const made = charges.filter(({ status }) => status === "succeeded").map(({ id }) => id);
      const { rows } = await books.database.query<{ status: string; charge: string }>(
        "SELECT status, gateway_payment AS charge FROM payment WHERE status <> 'failed'",
      );
      const posted = rows.filter(({ status }) => status === "succeeded");
      const unmatched = await listUnmatched(books.database, null);
      return [
        ...rows.flatMap(({ status }) => (status === "succeeded" ? [] : [`one is ${status}`])),
        ...differences(
          made,
          posted.map(({ charge }) => charge),
        ),
        ...unmatched.map(({ paymentId, problem }) => `${paymentId}: ${problem}`),
        ...(await brokenInvariants(books.database)).map((broken) => JSON.stringify(broken)),
      ];
    },
    async close() {
      await backup?.books.close();
      await books.close();
    },
  };
}

interface Charge {
  readonly id: string;
  readonly status: string;
}

/** Each charge is to be posted once: a payment has one charge, so none was charged twice either. */
function differences(made: readonly string[], posted: readonly string[]): string[] {
  const [ours, theirs] = [posted.toSorted().join(), made.toSorted().join()];
  return ours === theirs ? [] : [`the books have ${ours}, the gateway ${theirs}`];
}
