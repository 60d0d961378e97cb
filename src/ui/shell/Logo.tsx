// Ten pixels, one of them dreamed.

const ROWS = [1, 2, 3, 4];
const CELL = 5;
const STEP = 6;

export function Logo() {
  return (
    <svg width="23" height="23" viewBox="0 0 23 23" aria-hidden="true">
      {ROWS.flatMap((count, row) =>
        Array.from({ length: count }, (_, i) => (
          <rect
            key={`${row}.${i}`}
            x={(23 - count * STEP + 1) / 2 + i * STEP}
            y={row * STEP}
            width={CELL}
            height={CELL}
            fill={row === 1 && i === 1 ? 'var(--accent)' : 'currentColor'}
          />
        )),
      )}
    </svg>
  );
}
