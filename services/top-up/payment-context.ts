import type { Instant } from "../../shared/core/line/account.ts";
import type { Database } from "../../shared/ledger/postgres/database.ts";
import type { Logger } from "../../shared/runtime/logger.ts";
import type { PaymentGateway } from "./gateways/payment-gateway.ts";

export interface PaymentContext {
  readonly database: Database;
  readonly gateway: PaymentGateway;
  readonly logger: Logger;
  /** The clock. */
  now(): Instant;
}
