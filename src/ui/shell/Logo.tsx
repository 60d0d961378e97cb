// Ten pixels, one of them dreamed.

const CELL = 5;
const STEP = 6;
const SIZE = 4 * STEP - 1;
/** Left and top of each pixel: rows of one, two, three and four. */
const PIXELS = [1, 2, 3, 4].flatMap((count, row) =>
  Array.from({ length: count }, (_, i) => [(SIZE - count * STEP + 1) / 2 + i * STEP, row * STEP] as const),
);
const DREAMED = PIXELS[2];

export function Logo() {
  return (
    <svg width={SIZE} height={SIZE} viewBox={`0 0 ${SIZE} ${SIZE}`} aria-hidden="true">
      {PIXELS.map((at) => (
        <rect
          key={at.join()}
          x={at[0]}
          y={at[1]}
          width={CELL}
          height={CELL}
          fill={at === DREAMED ? 'var(--accent)' : 'currentColor'}
        />
      ))}
    </svg>
  );
}
