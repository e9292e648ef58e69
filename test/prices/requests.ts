import { randomIntegers, spreadRequests } from "../../infra/demo/spread.ts";
import { readTrace } from "../../infra/demo/trace.ts";
import type { ModelUsage } from "./calculator.ts";

const MODELS = 500;
const PROVIDERS = 7;

/** The model of a number, whose provider follows from it. */
function modelOf(at: number) {
  return { provider: `provider-${at % PROVIDERS}`, model: `model-${at}` };
}

/**
 * A price file in LiteLLM's form: 500 models, five kinds of tokens each, bands for every third one, numbers written
 * in several ways.
 */
export function priceFile(): string {
  const random = randomIntegers(7);
  const price = (most: number) => {
    const digits = 1 + random(most);
    return [
      `${digits}e-10`,
      `${digits}E-09`,
      `0.${String(digits).padStart(11, "0")}`,
      `${digits}.0e-9`,
    ][random(4)];
  };
  const entries = Array.from({ length: MODELS }, (_, at) => {
    const { provider, model } = modelOf(at);
    return `  "${model}": {
    "litellm_provider": "${provider}",
    "mode": "chat",
    "input_cost_per_token": ${price(9_999)},
    "output_cost_per_token": ${price(99_999)},
    "output_cost_per_reasoning_token": ${price(99_999)},
    "cache_read_input_token_cost": ${price(999)},
    "cache_creation_input_token_cost": ${price(9_999)}${at % 3 === 0 ? bands(price) : ""}
  }`;
  });
  return `{\n${entries.join(",\n")}\n}\n`;
}

/** Short contexts, so that real requests reach them. */
function bands(price: (most: number) => string | undefined): string {
  return `,
    "input_cost_per_token_above_2k_tokens": ${price(9_999)},
    "input_cost_per_token_above_4k_tokens": ${price(9_999)},
    "output_cost_per_token_above_2k_tokens": ${price(99_999)}`;
}

/** The five kinds of tokens of a request. */
type Requested = Omit<ModelUsage, "occurredAt">;

/**
 * Real requests, over and over until there are so many, as usage of accounts. What a request read and wrote is the
 * trace's; a generator with a fixed seed chooses its account and model, and how much of it was cached or reasoning.
 */
export async function realUsage(requests: number, accounts: number): Promise<Requested[]> {
  const trace = await readTrace();
  const random = randomIntegers(11);
  const spread = spreadRequests(requests, accounts);
  return spread.flatMap((account, at) => {
    const { inputTokens, outputTokens } = trace[at % trace.length] ?? NOTHING;
    const cacheRead = BigInt(random(Number(inputTokens) + 1));
    const cacheWrite = BigInt(random(Number(inputTokens - cacheRead) + 1));
    const reasoning = BigInt(random(Number(outputTokens) + 1));
    const of = {
      ...{ account: `account-${account}`, context: inputTokens },
      ...modelOf(random(MODELS)),
    };
    return [
      { ...of, meter: "input_tokens", quantity: inputTokens - cacheRead - cacheWrite },
      { ...of, meter: "cache_read_tokens", quantity: cacheRead },
      { ...of, meter: "cache_write_tokens", quantity: cacheWrite },
      { ...of, meter: "output_tokens", quantity: outputTokens - reasoning },
      { ...of, meter: "reasoning_tokens", quantity: reasoning },
    ];
  });
}

const NOTHING = { inputTokens: 0n, outputTokens: 0n };
