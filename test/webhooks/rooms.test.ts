import { expect, test } from "vitest";
import { openRooms } from "../../services/webhooks/rooms.ts";

const names = (count: number) => Array.from({ length: count }, (_, at) => `e${at}`);
const placesOf = (rooms: ReturnType<typeof openRooms>, ids: readonly string[]) =>
  Object.fromEntries(rooms.free(ids).map(({ endpointId, places }) => [endpointId, places]));

test("each endpoint has at most 32 places; many share 256, and none is without", () => {
  expect(placesOf(openRooms(), ["a"])).toEqual({ a: 32 });
  expect(placesOf(openRooms(), names(16))["e3"]).toBe(16);
  expect(placesOf(openRooms(), names(100))["e3"]).toBe(2);
});

test("what one has in hand takes no place of another", () => {
  const rooms = openRooms();
  for (let count = 0; count < 32; count += 1) rooms.take("slow");
  expect(placesOf(rooms, ["slow", "quick"])).toEqual({ quick: 32 });
  rooms.giveBack("slow");
  expect(placesOf(rooms, ["slow", "quick"])).toEqual({ slow: 1, quick: 32 });
});

test("one that fails is tried by one at a time, with waits that grow to 5 s, until it takes something", () => {
  let now = 0;
  const rooms = openRooms(() => now);
  expect(rooms.note("a", true)).toBe(true);
  expect(rooms.note("a", true)).toBe(false);
  expect(placesOf(rooms, ["a"])).toEqual({});
  now = 500;
  expect(placesOf(rooms, ["a"])).toEqual({ a: 1 });
  rooms.take("a");
  expect(placesOf(rooms, ["a"])).toEqual({});
  rooms.giveBack("a");
  for (let count = 0; count < 20; count += 1) rooms.note("a", true);
  now += 4_999;
  expect(placesOf(rooms, ["a"])).toEqual({});
  now += 1;
  expect(placesOf(rooms, ["a"])).toEqual({ a: 1 });
  expect(rooms.note("a", false)).toBe(false);
  expect(placesOf(rooms, ["a"])).toEqual({ a: 32 });
});
