import { useSignal } from "@preact/signals";
import { ratio } from "../line/lay-out-line.ts";
import { useWidth } from "../parts/use-width.ts";
import { colourOf, layersOf, type SpendBar, scaleOf } from "../state/spend.ts";
import type { ShownSpend } from "../state/spend-state.ts";
import { shortCredits } from "../text/credit-text.ts";
import { shortDate, timeText } from "../text/time-text.ts";
import { BarButtons } from "./bar-buttons.tsx";
import { partsText } from "./bar-text.ts";

interface ChartProps {
  readonly spend: ShownSpend;
  readonly zone: string;
  readonly titleOf: (bar: SpendBar) => string;
  readonly choose: (bar: SpendBar) => void;
}

/** The number of keys whose amounts fit into two lines. */
const FEW = 6;
const HEIGHT = 190;
const FOOT = 24;
/** The width of a label below the bars. */
const LABEL = 62;
const LABEL_TEXT = 46;

/** Spend over time as stacked bars, with a button over each for keyboards and screen readers. */
export function SpendChart({ spend, zone, titleOf, choose }: ChartProps) {
  const [element, width] = useWidth<HTMLDivElement>();
  const shown = useSignal<number | null>(null);
  const { bars } = spend;
  const most = bars.reduce((max, { total }) => (total > max ? total : max), 0n);
  const scale = scaleOf(most);
  const left = 12 + 7 * Math.max(...scale.map((credits) => shortCredits(credits).length));
  const each = Math.max(0, width - left) / Math.max(1, bars.length);
  const every = Math.max(1, Math.ceil(LABEL / Math.max(1, each)));
  const bar = shown.value === null ? undefined : bars[shown.value];
  return (
    <div class="chart">
      <p class={spend.rows.length > FEW ? "readout many" : "readout"} aria-hidden="true">
        {bar === undefined ? (
          <span class="soft">
            <span class="fine">Point at a bar for its value, click for its usage.</span>
            <span class="coarse">Tap a bar for its value, again for its usage.</span>
          </span>
        ) : (
          <>
            <b>{titleOf(bar)}</b> {partsText(bar, spend)}
          </>
        )}
      </p>
      <div ref={element} class="plot">
        <svg width={width} height={HEIGHT + FOOT} aria-hidden="true">
          <Lines scale={scale} left={left} width={width} />
          {bars.map((drawn, i) => (
            <g key={drawn.from} transform={`translate(${left + i * each} 0)`}>
              <Stack bar={drawn} spend={spend} top={scale.at(-1) ?? 0n} width={each} />
              {i % every === 0 && (bars.length - i) * each > LABEL_TEXT && (
                <text class="soft" x={1} y={HEIGHT + 18}>
                  {spend.by === "hour" ? timeText(zone, drawn.from) : shortDate(zone, drawn.from)}
                </text>
              )}
            </g>
          ))}
        </svg>
        <BarButtons
          spend={spend}
          left={left}
          each={each}
          titleOf={titleOf}
          point={(i) => (shown.value = i)}
          choose={choose}
        />
      </div>
    </div>
  );
}

function Lines({ scale, left, width }: { scale: readonly bigint[]; left: number; width: number }) {
  const top = scale.at(-1) ?? 0n;
  return (
    <g>
      {scale.map((credits) => {
        const y = HEIGHT - ratio(credits, top) * (HEIGHT - 8);
        return (
          <g key={credits.toString()}>
            <line class="rule" x1={left} x2={width} y1={y} y2={y} />
            <text class="soft" x={left - 8} y={y + 4} text-anchor="end">
              {shortCredits(credits)}
            </text>
          </g>
        );
      })}
    </g>
  );
}

interface StackProps {
  readonly bar: SpendBar;
  readonly spend: ShownSpend;
  readonly top: bigint;
  readonly width: number;
}

function Stack({ bar, spend, top, width }: StackProps) {
  const gap = width > 16 ? 5 : width > 8 ? 3 : 1;
  let below = 0n;
  return (
    <g>
      {layersOf(bar, spend.rows).map(({ colour, credits }) => {
        const from = ratio(below, top) * (HEIGHT - 8);
        below += credits;
        const to = ratio(below, top) * (HEIGHT - 8);
        return (
          <rect
            key={colour}
            style={{ fill: colourOf(colour) }}
            x={gap / 2}
            width={Math.max(1, width - gap)}
            y={HEIGHT - to}
            height={Math.max(0.5, to - from - (to - from > 3 ? 1 : 0))}
            rx={width > 8 ? 2 : 1}
          />
        );
      })}
    </g>
  );
}
