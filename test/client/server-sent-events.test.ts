import { expect, test } from "vitest";
import { readEvents } from "../../shared/client/server-sent-events.ts";

test("an event's data may hold any character that JSON leaves as it is", async () => {
  const data = JSON.stringify({ reference: "a\u2028b\u2029c\r\n" });
  const bytes = new TextEncoder().encode(`id: 1.2.3\nevent: credits\ndata: ${data}\n\n`);
  const events = await Array.fromAsync(readEvents(ReadableStream.from([bytes])));
  expect(events).toEqual([{ id: "1.2.3", event: "credits", data }]);
});
