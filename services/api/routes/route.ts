import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { hideActors } from "../../../shared/contract/actor.ts";
import { problem } from "../../../shared/contract/problem.ts";
import { accountId } from "../../../shared/contract/wire.ts";
import type { AccountId, Instant } from "../../../shared/core/line/account.ts";
import type { MicroCredits } from "../../../shared/core/line/credit-line.ts";
import type { Rates } from "../../../shared/core/offer/rates.ts";
import {
  type AccountDetails,
  readAccountDetails,
} from "../../../shared/ledger/books/account-details.ts";
import type { ChangeHold } from "../../../shared/ledger/holds/gather-requests.ts";
import type { Database, Transaction } from "../../../shared/ledger/postgres/database.ts";
import { readSnapshot, readUsageSnapshot } from "../../../shared/ledger/postgres/read-snapshot.ts";
import { accountOf } from "../access/caller.ts";
import { type RouteAccess, scopesOf } from "../access/check-access.ts";
import { type CsvFile, type openCsvAnswers, prefersCsv } from "../csv-answer.ts";
import type { HeavyReads } from "../heavy-reads.ts";
import { keyHeader } from "../idempotency.ts";
import { unknownAccount } from "../problem.ts";

export interface RouteContext {
  readonly database: Database;
  /** The clock. */
  now(): Instant;
  /** The most attempts to pay by hand of an account in an hour. */
  readonly attemptsPerHour: number;
  readRates(transaction: Transaction): Promise<Rates>;
  /** Decides on a request about a hold, together with others of the moment. */
  readonly changeHold: ChangeHold;
  /** Of accounts without their own; null: none is set. */
  readonly defaultOverdraft: MicroCredits | null;
  readonly heavyReads: HeavyReads;
  /** Runs exports, a few of an account at a time. */
  readonly exports: HeavyReads;
  readonly sendCsv: ReturnType<typeof openCsvAnswers>;
}

interface RouteSchemas {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly headers?: z.ZodType;
  readonly body?: z.ZodType;
  /** What is sent with each status. The lowest is used unless the handler sets another. */
  readonly response: Readonly<Record<number, z.ZodType | StreamResponse>>;
}

interface StreamResponse {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>>;
}

interface RouteDescription extends RouteSchemas, RouteAccess {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly showsSecret?: boolean;
  /** A POST that changes nothing, so that an Idempotency-Key is ignored. */
  readonly changesNothing?: boolean;
  /** It may read much of an account, so it runs beside the others of its kind. */
  readonly heavy?: boolean;
  readonly exposeHeadRoute?: boolean;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
}

const LIST = "As JSON a page of the list; to `Accept: text/csv` all of it, whatever the limit.";

type Part = "params" | "query" | "headers" | "body";
type ValidatedRequest = Pick<FastifyRequest, "caller" | "log"> & Readonly<Record<Part, unknown>>;

/** A request whose parts are what the route's schemas read. */
type RouteRequest<S extends RouteSchemas> = ValidatedRequest & {
  readonly [P in Part]: S[P] extends z.ZodType ? z.output<S[P]> : unknown;
};

type OutputOf<T> = T extends z.ZodType ? z.output<T> : never;
type RouteAnswer<S extends RouteSchemas> =
  | OutputOf<S["response"][keyof S["response"]]>
  | FastifyReply;

/**
 * Describes a route of the API. The result registers it: with its validation, its access rule and
 * its page in the OpenAPI document. A refusal is a Problem that the handler throws. `exported` answers
 * clients that accept CSV, with the whole list.
 */
export function route<const S extends RouteDescription, C extends RouteContext = RouteContext>(
  description: S,
  handle: (
    request: RouteRequest<S>,
    context: C,
    reply: FastifyReply,
  ) => RouteAnswer<S> | Promise<RouteAnswer<S>>,
  exported?: (request: RouteRequest<S>, context: C) => CsvFile,
): (app: FastifyInstance, context: C) => void {
  const {
    method,
    path,
    heavy = false,
    exposeHeadRoute = true,
    ...described
  }: RouteDescription = description;
  const { access, byToken, byRestrictedKey, showsSecret = false, ...rest } = described;
  const { changesNothing = false, tag, query, response, ...documented } = rest;
  const [status = "200"] = Object.keys(response);
  return (app, context) =>
    app.route({
      method,
      url: path,
      exposeHeadRoute,
      config: {
        ...{ access, showsSecret, changesNothing },
        byToken: byToken === true,
        byRestrictedKey: byRestrictedKey === true,
      },
      schema: {
        ...(method === "POST" && !changesNothing ? { headers: keyHeader } : {}),
        ...documented,
        tags: [tag],
        security: securityOf({ access, byToken }),
        querystring: query ?? NO_QUERY,
        response: { ...(exported === undefined ? response : withCsv(response)), ...REFUSALS },
      },
      // Fastify has validated each part and replaced it by its schema's output.
      handler: async (request: ValidatedRequest, reply) => {
        const answer = (database: Database) =>
          handle(request as RouteRequest<S>, { ...context, database }, reply);
        void reply.status(Number(status));
        const accountId = accountOf(request);
        const view = request.caller?.kind === "token" ? hideActors : asItIs;
        if (exported !== undefined && prefersCsv(reply.request.headers.accept)) {
          return context.exports(accountId ?? "", async (database) => {
            const file = exported(request as RouteRequest<S>, { ...context, database });
            return context.sendCsv(reply, await file.name, file.text(view));
          });
        }
        const answered = await (heavy && accountId !== null
          ? context.heavyReads(accountId, answer)
          : handle(request as RouteRequest<S>, context, reply));
        return view(answered);
      },
    });
}

function asItIs<Value>(value: Value): Value {
  return value;
}

/** A parameter that a route does not know is refused, as an unknown field of a body is: it may be misspelt. */
const NO_QUERY = z.strictObject({});

const CSV = { "text/csv": { schema: z.string() } };

/** The same answers, as JSON or CSV. */
function withCsv(response: RouteSchemas["response"]): RouteSchemas["response"] {
  return Object.fromEntries(
    Object.entries(response).map(([status, answer]) => [
      status,
      answer instanceof z.ZodType
        ? { description: LIST, content: { "application/json": { schema: answer }, ...CSV } }
        : answer,
    ]),
  );
}

/** What opens a route, for the OpenAPI document: any of its scopes, or a token of its account. */
export function securityOf({
  access,
  byToken,
}: Pick<RouteAccess, "access"> & { readonly byToken?: boolean | undefined }) {
  const byKey = scopesOf({ access }).map((scope) => ({ key: [scope] }));
  return byToken === true ? [...byKey, { token: [] }] : byKey;
}

const params = z.object({ account_id: accountId });

/** A route that reads one account, for keys and for the account's dashboard tokens. */
export const READ = { method: "GET", access: "read", byToken: true, params } as const;

/** The same, where it may read much. */
export const HEAVY_READ = { ...READ, heavy: true } as const;

/** A route that changes one account. */
export const WRITE = { access: "billing", params } as const;

/** The body of a request: `title` names it in the OpenAPI document, unknown fields are refused. */
export function requestBody<Shape extends z.core.$ZodLooseShape>(title: string, shape: Shape) {
  return z.strictObject(shape).meta({ title });
}

const content = { "application/problem+json": { schema: problem } } as const;

/** The refusals that every route documents. */
export const REFUSALS = {
  "4xx": { description: "The request was refused; nothing changed.", content },
  "5xx": { description: "The server failed; try again later.", content },
} as const;

type ReadAccount<T> = (transaction: Transaction, details: AccountDetails) => Promise<T>;

/** Reads a consistent state of an account's books. Throws a Problem if the account does not exist. */
export async function readOfAccount<T>(
  { database }: RouteContext,
  id: AccountId,
  read: ReadAccount<T>,
): Promise<T> {
  return readSnapshot(database, (transaction) => readAccount(transaction, id, read));
}

/** The same with its single usage events. */
export async function readUsageOfAccount<T>(
  { database }: RouteContext,
  id: AccountId,
  read: ReadAccount<T>,
): Promise<T> {
  return readUsageSnapshot(database, (transaction) => readAccount(transaction, id, read));
}

async function readAccount<T>(
  transaction: Transaction,
  id: AccountId,
  read: ReadAccount<T>,
): Promise<T> {
  const details = await readAccountDetails(transaction, id);
  if (details === null) throw unknownAccount(id);
  return read(transaction, details);
}
