import { fieldOf, openCommands } from "./commands.ts";

/** Its payment is seen pending: the demo's gateway takes seconds to answer. */
const PAYER = "demo-payer";
const DECLINED = "demo-declined";

/** 15 minutes of voice: 90 credits. */
const QUARTER_OF_AN_HOUR = 15 * 60 * 1000;

/**
 * Shows auto top-up on two accounts of its own. One falls into debt, its top-up is pending and then
 * succeeds, and the debt is repaid. The other one's card is declined.
 */
export async function showTopUps(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<void> {
  const { type, publish, until } = openCommands(env, say);
  const latestIs =
    (...statuses: readonly string[]) =>
    (shown: unknown) => {
      const topUps = fieldOf(shown, "items");
      return Array.isArray(topUps) && statuses.includes(String(fieldOf(topUps[0], "status")));
    };

  say("\nAuto top-up: one account runs low and is charged, another one's card is declined");
  await type("catalogue apply infra/demo/catalogue.yaml");
  for (const [account, card] of [
    [PAYER, "card_approve"],
    [DECLINED, "card_decline"],
  ] as const) {
    await type(`account create ${account}`);
    await type(`payment-method set ${account} --customer cus_${account} --method ${card}`);
    await type(`grant ${account} 60 --source promotion`);
  }
  await publish(
    [PAYER, DECLINED].map((account_id) => {
      return { account_id, meter: "voice.milliseconds", quantity: QUARTER_OF_AN_HOUR };
    }),
  );
  // On a slow machine it may have succeeded before it is first listed.
  await until("there is a top-up", `top-up list ${PAYER}`, latestIs("pending", "succeeded"));
  await type(`account show ${PAYER}`);
  await type(`top-up list ${PAYER}`);
  await until("the top-up has succeeded", `top-up list ${PAYER}`, latestIs("succeeded"));
  await type(`top-up list ${PAYER}`);
  await type(`lots ${PAYER}`);
  await type(`account show ${PAYER}`);
  await until("the card is declined", `top-up list ${DECLINED}`, latestIs("failed"));
  await type(`top-up list ${DECLINED}`);
  await type(`top-up settings ${DECLINED}`);
}
