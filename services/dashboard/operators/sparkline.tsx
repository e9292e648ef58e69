const WIDTH = 200;
const HEIGHT = 36;

/** The recent values of a number, newest at the right. The number itself is shown beside it. */
export function Sparkline({ values }: { values: readonly number[] }) {
  const most = Math.max(1e-9, ...values);
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map(
    (value, i) => `${i * step},${HEIGHT - 2 - (value / most) * (HEIGHT - 6)}`,
  );
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polyline points={points.join(" ")} />
    </svg>
  );
}
