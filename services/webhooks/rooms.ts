import type { Room } from "../../shared/ledger/webhooks/claim-deliveries.ts";
import { growingWait } from "../../shared/runtime/waits.ts";

/** Queues in hand of all endpoints, and of one: they bound the connections, and memory. */
const MOST_IN_ALL = 256;
const MOST_OF_ONE = 32;

interface Place {
  inHand: number;
  /** In a row. */
  failures: number;
  /** When a failing endpoint is tried again. */
  tryAt: number;
}

export type Rooms = ReturnType<typeof openRooms>;

/**
 * The places of each endpoint. Every one has its own share, which no other can take, so one that is slow holds
 * up only itself. One that failed last is tried by one queue at a time, with waits between that grow to 5 s.
 */
export function openRooms(now: () => number = () => performance.now()) {
  const places = new Map<string, Place>();

  function placeOf(endpointId: string): Place {
    const place = places.get(endpointId) ?? { inHand: 0, failures: 0, tryAt: 0 };
    places.set(endpointId, place);
    return place;
  }

  function roomOf(endpointId: string, share: number): number {
    const { inHand, failures, tryAt } = placeOf(endpointId);
    if (failures === 0) return Math.max(0, share - inHand);
    return inHand === 0 && now() >= tryAt ? 1 : 0;
  }

  return {
    /** How many queues of each may be claimed; without those of none. */
    free(endpointIds: readonly string[]): Room[] {
      for (const [id, { inHand }] of places) {
        if (inHand === 0 && !endpointIds.includes(id)) places.delete(id);
      }
      const share = Math.min(
        MOST_OF_ONE,
        Math.max(1, Math.floor(MOST_IN_ALL / endpointIds.length)),
      );
      return endpointIds.flatMap((endpointId) => {
        const room = roomOf(endpointId, share);
        return room === 0 ? [] : [{ endpointId, places: room }];
      });
    },
    take(endpointId: string): void {
      placeOf(endpointId).inHand += 1;
    },
    giveBack(endpointId: string): void {
      placeOf(endpointId).inHand -= 1;
    },
    /** Notes what became of an attempt. True: the endpoint fails, and did not before. */
    note(endpointId: string, failed: boolean): boolean {
      const place = placeOf(endpointId);
      place.failures = failed ? place.failures + 1 : 0;
      if (failed) place.tryAt = now() + growingWait(place.failures);
      return place.failures === 1;
    },
  };
}
