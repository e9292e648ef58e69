import { type ApiClient, ApiProblem, openApiClient } from "../../shared/client/api-client.ts";
import type { LocalApi } from "../local/api.ts";
import { fieldOf, openCommands } from "./commands.ts";

const ACCOUNT = "demo-agents";
const CREDIT = 1_000_000n;
const TEAM = { team: "search" };

/** A token costs 10 micro-credits. */
const tokens = (credits: number) => ({
  account_id: ACCOUNT,
  meter: "llm.output_tokens",
  quantity: credits * 100_000,
});

/**
 * Shows how nobody spends more than there is: of ten runs at once as many are let in as the credits cover, one is
 * metered and captured, a team ends at its budget, and at zero nobody starts.
 */
export async function showOverspending(
  env: NodeJS.ProcessEnv,
  { url, key }: Pick<LocalApi, "url" | "key">,
  say: (line: string) => void,
): Promise<void> {
  const { type, publish, until } = openCommands(env, say);
  const api = openApiClient({ url, key });
  const untilUsed = (credits: number) =>
    until("the usage is metered", `account show ${ACCOUNT}`, (shown) => {
      const position = BigInt(String(fieldOf(shown, "position") ?? 0));
      return position >= BigInt(credits * Number(CREDIT));
    });
  say("\nAn account with 5 credits, and ten runs that start at once; each asks for a hold of 2");
  await type(`account create ${ACCOUNT}`);
  await type(`account set ${ACCOUNT} --overdraft none`);
  await type(`grant ${ACCOUNT} 5 --source promotion`);
  const names = Array.from({ length: 10 }, (_, run) => `run-${run + 1}`);
  const runs = await Promise.all(names.map((holdId) => askHold(api, { holdId, credits: 2n })));
  const [first, second, ...more] = runs.filter(({ isGiven }) => isGiven);
  const refused = runs.filter(({ isGiven }) => !isGiven);
  if (first === undefined || second === undefined || more.length > 0) {
    throw new Error(`${10 - refused.length} of ten runs were let in, not 2`);
  }
  for (const { holdId, says } of [first, second, ...refused.slice(0, 1)]) say(`${holdId}: ${says}`);
  say(`and ${refused.length - 1} more are refused`);

  say(
    `\n${first.holdId} uses 1.2 of its 2 credits, and is closed with them; ${second.holdId} gives back`,
  );
  await publish([{ ...tokens(1.2), hold_id: first.holdId }]);
  await untilUsed(1.2);
  await api.captureHold(ACCOUNT, first.holdId, (12n * CREDIT) / 10n);
  await api.releaseHold(ACCOUNT, second.holdId);
  await type(`account show ${ACCOUNT}`);

  say("\nA team that may spend 1 credit a month, and has spent 0.8");
  const budget = `/v1/accounts/${ACCOUNT}/budgets/team/month/values/${TEAM.team}`;
  const body = JSON.stringify({ credits: String(CREDIT) });
  say(`PUT ${budget} ${body}`);
  await put(`${url}${budget}`, key, body);
  await publish([{ ...tokens(0.8), dimensions: TEAM }]);
  await untilUsed(2);
  await refuse(api, { holdId: "of-the-team", credits: 1n, dimensions: TEAM }, say);

  say("\nEverything is used, and the next run asks");
  await publish([tokens(3)]);
  await untilUsed(5);
  await refuse(api, { holdId: "at-zero", credits: 1n }, say);
}

interface Asked {
  readonly holdId: string;
  readonly credits: bigint;
  readonly dimensions?: Readonly<Record<string, string>>;
}

/** Whether a hold is given, and what the answer says. */
async function askHold(api: ApiClient, { credits, ...asked }: Asked) {
  const { holdId } = asked;
  try {
    const { credits: held } = await api.hold(ACCOUNT, { ...asked, credits: credits * CREDIT });
    return {
      holdId,
      isGiven: true,
      says: `201, ${Number(held) / Number(CREDIT)} credits are held`,
    };
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 402) throw error;
    return { holdId, isGiven: false, says: `402, ${error.code}: ${error.message}` };
  }
}

async function refuse(api: ApiClient, asked: Asked, say: (line: string) => void): Promise<void> {
  const { holdId, isGiven, says } = await askHold(api, asked);
  if (isGiven) throw new Error(`${holdId} is given a hold of what is not there`);
  say(`${holdId}: ${says}`);
}

async function put(url: string, key: string, body: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const { ok, status } = await fetch(url, { method: "PUT", headers, body });
  if (!ok) throw new Error(`PUT ${url} was answered with ${status}`);
}
