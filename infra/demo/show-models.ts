import { fieldOf, openCommands } from "./commands.ts";

const ACCOUNT = "demo-chat";
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

/** Shows how three models are sold: their list prices are imported with a markup, and one event is explained. */
export async function showModels(
  env: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<void> {
  const { type, publish, until } = openCommands(env, say);
  say("\nThree models, sold at their list prices and a markup; a credit is worth USD 0.02");
  await type(
    'rates import infra/demo/list-prices.csv --markup 1.3 --markup anthropic/*=1.2 --per-credit "USD 0.02" --yes',
  );
  await type("rate list output_tokens");
  await type(`account create ${ACCOUNT}`);
  await type(`grant ${ACCOUNT} 100 --source promotion`);
  await publish(USAGE);
  await until("the usage of the models is metered", `account show ${ACCOUNT}`, (shown) => {
    return BigInt(String(fieldOf(shown, "position") ?? 0)) >= USED;
  });
  await type(`explain event demo-answer --account ${ACCOUNT}`);
}

function tokens(kind: string, dimensions: Readonly<Record<string, string>>, quantity: number) {
  return { account_id: ACCOUNT, meter: `${kind}_tokens`, quantity, dimensions };
}
