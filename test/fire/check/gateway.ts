/** A charge as the gateway itself lists it. */
export interface GatewayPayment {
  readonly account_id: string;
  readonly payment_id: string;
  /** Cents. */
  readonly amount: string;
  readonly status: string;
  readonly created_at: string;
}

/** The gateway's own list, oldest first. */
export async function readGateway(url: string): Promise<GatewayPayment[]> {
  const response = await fetch(`${url}/v1/payments`);
  return ((await response.json()) as { payments: GatewayPayment[] }).payments;
}

export function hasPaid({ status }: GatewayPayment): boolean {
  return status === "succeeded";
}

/** Whether it was charged for a month or a year of a plan. */
export function isFee({ payment_id }: GatewayPayment): boolean {
  return payment_id.startsWith("fee:");
}
