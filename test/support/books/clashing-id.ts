import { eventKeys, keyAt } from "../../../shared/ledger/usage/event-key.ts";

/** The id under which `source` has the key that `eventId` has under "". */
export function clashingId(accountId: string, eventId: string, source: string): string {
  const low = (id: string, of: string) => {
    const key = keyAt(eventKeys([{ accountId, source: of, eventId: id }]), 0);
    return BigInt(`0x${key.slice(16)}`);
  };
  const mixed = low(eventId, "") ^ low(eventId, source);
  const digits = eventId.replaceAll("-", "");
  const last = (BigInt(`0x${digits.slice(16)}`) ^ mixed).toString(16).padStart(16, "0");
  return `${eventId.slice(0, 19)}${last.slice(0, 4)}-${last.slice(4)}`;
}
