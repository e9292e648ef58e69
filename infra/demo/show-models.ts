import { fieldOf, openCommands } from "./commands.ts";

const ACCOUNT = "demo-chat";
/** Has a discount. */
const PARTNER = "demo-partner";
const HAIKU = { provider: "anthropic", model: "claude-haiku-4-5" };
const GPT_5 = { provider: "openai", model: "gpt-5" };

/** 4,808 tokens read, of which half came from a cache, and 620 written; and one more request. */
const USAGE = [
  tokens("input", HAIKU, 2_404),
  tokens("cache_read", HAIKU, 2_404),
  { ...tokens("output", HAIKU, 620), event_id: "demo-answer" },
  tokens("input", GPT_5, 3_180),
  tokens("output", GPT_5, 8),
];
/** Micro-credits: 144,240 + 14,424 + 186,000 + 258,375 + 5,200. */
const USED = 608_239n;

/** The same answer, for 85 % of 186,000 micro-credits. */
const OF_PARTNER = [
  { ...tokens("output", HAIKU, 620), account_id: PARTNER, event_id: "demo-discounted" },
];
const PAID_BY_PARTNER = 158_100n;

/**
 * Shows how three models are sold: their list prices are imported with a markup, one customer has a discount, and
 * an event of each is explained.
 */
export async function showModels(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<void> {
  const { type, publish, until } = openCommands(env, say);
  const untilDrawn = (account: string, credits: bigint) =>
    until(`the usage of ${account} is metered`, `account show ${account}`, (shown) => {
      return BigInt(String(fieldOf(shown, "position") ?? 0)) >= credits;
    });
  say("\nThree models, sold at their list prices and a markup; a credit is worth USD 0.02");
  await type(
    'rates import infra/demo/list-prices.csv --markup 1.3 --markup anthropic/*=1.2 --per-credit "USD 0.02" --yes',
  );
  await type("rate list output_tokens");
  await type(`account create ${ACCOUNT}`);
  await type(`grant ${ACCOUNT} 100 --source promotion`);
  await publish(USAGE);
  await untilDrawn(ACCOUNT, USED);
  await type(`explain event demo-answer --account ${ACCOUNT}`);

  say("\nA customer who pays 15 % less");
  await type(`account create ${PARTNER}`);
  await type(`grant ${PARTNER} 100 --source promotion`);
  await type(`rate own set ${PARTNER} --discount 15% --reason "contract of 2026"`);
  await publish(OF_PARTNER);
  await untilDrawn(PARTNER, PAID_BY_PARTNER);
  await type(`explain event demo-discounted --account ${PARTNER}`);
}

function tokens(kind: string, dimensions: Readonly<Record<string, string>>, quantity: number) {
  return { account_id: ACCOUNT, meter: `${kind}_tokens`, quantity, dimensions };
}
