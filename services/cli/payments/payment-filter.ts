import { type Command, Option } from "commander";
import { paymentFields } from "../../../shared/contract/payment.ts";
import type { Payment, PaymentStatus } from "../../../shared/core/payments/payment.ts";
import type { PaymentFilter } from "../../../shared/ledger/payments/list-all-payments.ts";
import { accountIdArgument, instantArgument, textArgument } from "../shell/arguments.ts";
import { WrongUsage } from "../shell/result.ts";

/** The options that choose payments. */
export interface FilterOptions {
  readonly kind?: Payment["kind"];
  readonly status?: PaymentStatus;
  readonly from?: string;
  readonly to?: string;
  readonly gatewayPayment?: string;
}

export function addFilterOptions(command: Command): Command {
  const { kind, status } = paymentFields;
  return command
    .addOption(new Option("--kind <kind>", "only these").choices(kind.options))
    .addOption(new Option("--status <status>", "only these").choices(status.options))
    .option("--from <instant>", "created from this instant on")
    .option("--to <instant>", "created before this instant")
    .option("--gateway-payment <id>", "only this one, by the gateway's id");
}

export function hasFilters({ kind, status, from, to, gatewayPayment }: FilterOptions): boolean {
  return [kind, status, from, to, gatewayPayment].some((filter) => filter !== undefined);
}

/** Throws WrongUsage if an option is wrong. */
export function toFilter(account: string | undefined, options: FilterOptions): PaymentFilter {
  const { kind = null, status = null, gatewayPayment } = options;
  const from = options.from === undefined ? null : instantArgument("--from", options.from);
  const to = options.to === undefined ? null : instantArgument("--to", options.to);
  if (from !== null && to !== null && from > to) throw new WrongUsage("--from is after --to");
  return {
    accountIds: account === undefined ? null : [accountIdArgument(account)],
    ...{ kind, status, from, to },
    gatewayPayment:
      gatewayPayment === undefined ? null : textArgument("--gateway-payment", gatewayPayment),
  };
}
