import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { SpendBar } from "../state/spend.ts";
import type { ShownSpend } from "../state/spend-state.ts";
import { partsText } from "./bar-text.ts";

interface BarButtonsProps {
  readonly spend: ShownSpend;
  readonly left: number;
  readonly each: number;
  readonly titleOf: (bar: SpendBar) => string;
  readonly point: (i: number | null) => void;
  readonly choose: (bar: SpendBar) => void;
}

/** A button over each bar. Tab stops once; arrow keys move between bars. */
export function BarButtons({ spend, left, each, titleOf, point, choose }: BarButtonsProps) {
  const { bars } = spend;
  const group = useRef<HTMLFieldSetElement>(null);
  const stop = useSignal(bars.length - 1);
  const read = useRef<number | null>(null);
  const isReading = useRef(false);
  const current = Math.min(stop.value, bars.length - 1);
  const move = (event: KeyboardEvent, i: number): void => {
    const to = { ArrowLeft: i - 1, ArrowRight: i + 1, Home: 0, End: bars.length - 1 }[event.key];
    if (to === undefined || to < 0 || to >= bars.length) return;
    event.preventDefault();
    stop.value = to;
    group.current?.querySelectorAll("button")[to]?.focus();
  };
  return (
    <fieldset ref={group} class="bar-buttons" onMouseLeave={() => point(null)}>
      <legend class="unseen">
        Credits spent by {spend.by}; arrow keys move between bars, Enter shows the usage
      </legend>
      {bars.map((bar, i) => (
        <button
          type="button"
          key={bar.from}
          tabIndex={i === current ? 0 : -1}
          style={{ left: left + i * each, width: each }}
          aria-label={`${titleOf(bar)}: ${partsText(bar, spend)}`}
          onMouseEnter={() => point(i)}
          onFocus={() => {
            stop.value = i;
            point(i);
          }}
          onBlur={() => point(null)}
          onKeyDown={(event) => move(event, i)}
          onPointerDown={({ pointerType }) => {
            // The first touch shows the value, the second opens the usage.
            isReading.current = pointerType === "touch" && read.current !== i;
            read.current = i;
          }}
          onClick={() => {
            if (!isReading.current) choose(bar);
            isReading.current = false;
          }}
        />
      ))}
    </fieldset>
  );
}
