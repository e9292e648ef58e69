/**
 * Two years of many accounts through the real books, with the clock passed in. The books and the model
 * agree on each account, each lot and each entry, at every turn of the month and at the end.
 */
import { expect, test } from "vitest";
import { expectAgreement } from "./expect-agreement.ts";
import { randomSeed } from "./histories.ts";

const MINUTE = 60_000;

/** test/README.md says how to play more histories, or one again. */
const { TIME_MACHINE_SEED: again, TIME_MACHINE_SEEDS: many = "1" } = process.env;
/** As `npm run test:simulate` asks for it. */
const ASKED = process.env["TIME_MACHINE_SHAPE"];
const USUAL = { accounts: 2_000, months: 24, eventsAMonth: 3, changesAMonth: 0.3 };
const SHAPE: typeof USUAL = ASKED === undefined ? USUAL : JSON.parse(ASKED);
const SEEDS =
  again === undefined ? Array.from({ length: Number(many) }, randomSeed) : [Number(again)];

/** The minimum count of each kind of step and outcome, and of what happens in the books. */
const OFTEN = 10;
const OCCURRED = [
  ...["use: metered", "use: repeat", "use: too_far_ahead", "use: too_long_ago"],
  ...["subscribe: subscribed", "subscribe: already_subscribed", "subscribe: unknown_plan"],
  ...["subscribe: no_plan_price", "change plan: plan_changed", "change plan: plan_change_planned"],
  ...["change plan: no_subscription", "change plan: no_change", "change plan: unknown_plan"],
  ...["change interval: interval_change_planned", "change interval: no_change"],
  ...["cancel: cancelled", "cancel: already_cancelled", "cancel: no_subscription"],
  ...["resume: resumed", "resume: not_cancelled", "resume: no_subscription"],
  ...["set add-on: add_on_changed", "set add-on: add_on_change_planned", "set add-on: no_change"],
  ...["fee given up: suspended", "fee given up: no_change", "fee paid: restored"],
  ...["fee paid: no_change", "fee paid: restored, interval_changed", "fee paid: restored, ended"],
  ...[
    "change plan: subscription_suspended",
    "change interval: subscription_suspended",
    "set add-on: subscription_suspended",
  ],
  ...["set add-on: unknown_add_on", "set add-on: no_subscription"],
  ...["change zone: time_zone_changed", "change zone: no_change", "grant: granted"],
  ...["withdraw: withdrawn", "withdraw: exceeds_remaining", "withdraw: unknown_lot"],
  ...["entry: grant", "entry: expiry", "entry: add_on_charge", "entry: adjustment"],
  ...["change: ended", "change: plan_changed", "change: interval_changed"],
  ...["fee: of a month", "fee: of a year", "fee: of a dearer plan in a month"],
  ...["fee: of a dearer plan in a year", "change: suspended", "change: restored"],
  ...["a month was given after it was over"],
  ...["low balance by an event", "low balance by an entry", "several months were posted at once"],
  ...["a lot ended before older ones were used", "a lot was taken back in part"],
  ...["a lot was taken back wholly", "an account was in debt at the end"],
];

test.each(SEEDS)(
  `${SHAPE.months} months of ${SHAPE.accounts} accounts leave the same books as the model, seed %i`,
  async (seed) => {
    const { occurred, comparisons } = await expectAgreement(seed, SHAPE);
    expect(comparisons).toBeGreaterThan(2 * SHAPE.months - 2);
    if (ASKED !== undefined) return;
    expect(OCCURRED.filter((what) => (occurred.get(what) ?? 0) < OFTEN)).toEqual([]);
  },
  15 * MINUTE,
);
