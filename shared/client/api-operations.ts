import type { z } from "zod";
import { account, balance } from "../contract/account.ts";
import { allowance } from "../contract/allowance.ts";
import { dashboardToken } from "../contract/dashboard-token.ts";
import { entry } from "../contract/entry.ts";
import { estimate } from "../contract/estimate.ts";
import { granted } from "../contract/grant.ts";
import { hold } from "../contract/hold.ts";
import { ingestAnswer } from "../contract/ingest-answer.ts";
import { lot } from "../contract/lot.ts";
import { listOfOwnTerms } from "../contract/own-terms.ts";
import { listOf } from "../contract/page.ts";
import { payment, paymentOfAccount } from "../contract/payment.ts";
import type { streamEvents } from "../contract/stream-events.ts";
import { schedule } from "../contract/subscription.ts";
import { usage } from "../contract/usage.ts";
import { usageRecord } from "../contract/usage-record.ts";
import type { Answer as AnswerOf } from "./read-answer.ts";

/** A request that the client can make, and the noun of its answer. */
export interface Operation<Noun extends z.ZodType> {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: string;
  readonly answer: Noun;
}

const OF_ACCOUNT = "/v1/accounts/{account_id}";

const get = <Noun extends z.ZodType>(path: string, answer: Noun): Operation<Noun> => ({
  ...{ method: "GET", path, answer },
});
const post = <Noun extends z.ZodType>(path: string, answer: Noun): Operation<Noun> => ({
  ...{ method: "POST", path, answer },
});

/** All requests of the client; a test compares them with the OpenAPI document. */
export const OPERATIONS = {
  balance: get(`${OF_ACCOUNT}/balance`, balance),
  allowance: get(`${OF_ACCOUNT}/allowance`, allowance),
  estimate: post("/v1/estimate", estimate),
  ownTerms: get(`${OF_ACCOUNT}/rates`, listOfOwnTerms),
  account: get(OF_ACCOUNT, account),
  createAccount: post("/v1/accounts", account),
  lots: get(`${OF_ACCOUNT}/lots`, listOf(lot)),
  entries: get(`${OF_ACCOUNT}/entries`, listOf(entry)),
  usage: get(`${OF_ACCOUNT}/usage`, usage),
  usageRecords: get(`${OF_ACCOUNT}/usage-records`, listOf(usageRecord)),
  topUps: get(`${OF_ACCOUNT}/top-ups`, listOf(paymentOfAccount)),
  topUp: post(`${OF_ACCOUNT}/top-ups`, payment),
  grant: post(`${OF_ACCOUNT}/grants`, granted),
  adjust: post(`${OF_ACCOUNT}/adjustments`, granted),
  subscribe: post(`${OF_ACCOUNT}/subscription`, schedule),
  hold: post(`${OF_ACCOUNT}/holds`, hold),
  showHold: get(`${OF_ACCOUNT}/holds/{hold_id}`, hold),
  extendHold: { ...post(`${OF_ACCOUNT}/holds/{hold_id}`, hold), method: "PATCH" },
  captureHold: post(`${OF_ACCOUNT}/holds/{hold_id}/capture`, hold),
  releaseHold: post(`${OF_ACCOUNT}/holds/{hold_id}/release`, hold),
  dashboardToken: post(`${OF_ACCOUNT}/dashboard-tokens`, dashboardToken),
  ingest: post("/v1/events", ingestAnswer),
} as const;

export type Answer<Name extends keyof typeof OPERATIONS> = AnswerOf<
  (typeof OPERATIONS)[Name]["answer"]
>;

/** An event of a stream; `reload`: too many were missed, so read again what is shown. */
export type StreamEvent = {
  [Event in keyof typeof streamEvents]: {
    readonly event: Event;
    readonly data: AnswerOf<(typeof streamEvents)[Event]>;
  };
}[keyof typeof streamEvents];
