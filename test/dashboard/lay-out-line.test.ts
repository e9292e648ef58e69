import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layOutLine, placeLabels } from "../../services/dashboard/line/lay-out-line.ts";

const CREDIT = 1_000_000n;

/** Lots of the given credits, end to end. */
function lotsOf(...sizes: number[]) {
  let end = 0n;
  return sizes.map((size) => {
    const start = end;
    end += BigInt(size) * CREDIT;
    return { start, end, expiresAt: null };
  });
}

const line = (granted: number, position: number) => ({
  granted: BigInt(granted) * CREDIT,
  position: BigInt(position) * CREDIT,
});

const NOON = Date.parse("2026-12-01T12:00Z");
const at = (width: number) => ({ width, now: NOON });

describe("the credit line drawn", () => {
  it("puts the marker where the used part of a stretch ends", () => {
    const drawn = layOutLine(lotsOf(100, 100), line(200, 25), at(204));
    expect(drawn.stretches.map(({ left, width, used }) => ({ left, width, used }))).toEqual([
      { left: 0, width: 100, used: 0.25 },
      { left: 104, width: 100, used: 0 },
    ]);
    expect(drawn.marker).toBe(25);
    expect(drawn.debt).toBeNull();
  });

  it("is at the start of a stretch that is about to be used", () => {
    expect(layOutLine(lotsOf(100, 100), line(200, 100), at(204)).marker).toBe(104);
  });

  it("counts nothing of a lot that has ended, whose expiry is not posted yet", () => {
    const [first, second] = lotsOf(100, 100);
    if (first === undefined || second === undefined) throw new Error("two lots");
    const lots = [{ ...first, expiresAt: NOON }, second];
    const { stretches, marker } = layOutLine(lots, line(200, 25), at(204));
    expect(stretches.map(({ remaining }) => remaining)).toEqual([0n, 100n * CREDIT]);
    expect(marker).toBe(104);
  });

  it("is at the end when all is used, and beyond it in debt", () => {
    const used = layOutLine(lotsOf(100), line(100, 100), at(200));
    expect(used.marker).toBe(200);
    expect(used.debt).toBeNull();
    const owed = layOutLine(lotsOf(100), line(100, 150), at(204));
    expect(owed.debt?.credits).toBe(50n * CREDIT);
    expect(owed.debt?.left).toBeGreaterThan(100);
    expect(owed.marker).toBeCloseTo(204);
  });

  it("draws debt on a line without lots, and nothing on an empty one", () => {
    expect(layOutLine([], line(0, 5), at(100)).debt).toEqual({
      left: 0,
      width: 100,
      credits: 5n * CREDIT,
    });
    expect(layOutLine([], line(0, 0), at(100))).toEqual({ stretches: [], marker: 0, debt: null });
  });

  it("keeps a tiny lot beside a huge one wide enough to touch", () => {
    const { stretches } = layOutLine(lotsOf(1, 10_000_000), line(10_000_001, 0), at(600));
    expect(stretches[0]?.width).toBeGreaterThanOrEqual(14);
  });

  it("stays within its width, in order and without overlaps, for any lots", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1_000_000_000 }), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(sizes, fc.double({ min: 0, max: 1.5, noNaN: true }), (all, part) => {
        const total = all.reduce((sum, size) => sum + size, 0);
        const drawn = layOutLine(lotsOf(...all), line(total, Math.floor(total * part)), at(900));
        let end = 0;
        for (const { left, width, used } of drawn.stretches) {
          expect(left).toBeGreaterThanOrEqual(end - 1e-6);
          expect(used).toBeGreaterThanOrEqual(0);
          expect(used).toBeLessThanOrEqual(1);
          end = left + width;
        }
        expect(end).toBeLessThanOrEqual(900 + 1e-6);
        expect(drawn.marker).toBeLessThanOrEqual(900 + 1e-6);
      }),
    );
  });
});

describe("labels below the line", () => {
  it("are at the start of their stretch where there is room", () => {
    const parts = [
      { left: 0, width: 300 },
      { left: 304, width: 400 },
    ];
    expect(placeLabels(parts, 704, 150)).toEqual([0, 304]);
  });

  it("give way to each other, and to the end", () => {
    const parts = [
      { left: 0, width: 100 },
      { left: 104, width: 300 },
      { left: 408, width: 100 },
    ];
    expect(placeLabels(parts, 508, 150)).toEqual([0, 150, 358]);
  });

  it("are hidden when one would be away from its stretch", () => {
    const many = Array.from({ length: 8 }, (_, i) => ({ left: i * 50, width: 46 }));
    expect(placeLabels(many, 400, 150)).toBeNull();
    expect(placeLabels([{ left: 0, width: 100 }], 100, 150)).toBeNull();
  });
});
