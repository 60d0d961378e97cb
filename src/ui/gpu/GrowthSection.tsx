// How cost grows with size, on log axes: the fitted exponent beside the expected one.

import { GrowthPlot } from './GrowthPlot.tsx';
import css from './gpu.module.css';
import type { LabSession } from './lab-session.ts';
import { useLab } from './lab-store.ts';
import { RunBar } from './RunBar.tsx';

export function GrowthSection({ session }: { session: LabSession | null }) {
  const curves = useLab((s) => s.findings.curves);
  return (
    <>
      <RunBar session={session} job={{ kind: 'growth' }} label="Measure">
        Four kernels over four sizes each. A straight line on log axes is a power law; its slope is the exponent, fitted
        over the points that are not launch-bound. Small sizes that leave the adapter half idle flatten it. The thin
        line has the expected slope and passes through the last point.
      </RunBar>
      <div className={css.curves}>
        {curves.map((curve) => (
          <GrowthPlot key={curve.name} curve={curve} />
        ))}
      </div>
    </>
  );
}
