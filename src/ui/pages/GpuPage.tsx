// The GPU tab: this adapter, every kernel proven and measured on it. All GPU work is in a worker that owns its device.

import { Download } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { benchReport } from '../../bench/report.ts';
import { Button } from '../controls/Button.tsx';
import { DeviceSection } from '../gpu/DeviceSection.tsx';
import { GrowthSection } from '../gpu/GrowthSection.tsx';
import css from '../gpu/gpu.module.css';
import { LabSession } from '../gpu/lab-session.ts';
import { useLab } from '../gpu/lab-store.ts';
import { MethodsSection } from '../gpu/MethodsSection.tsx';
import { ProofSection } from '../gpu/ProofSection.tsx';
import { RaceSection } from '../gpu/RaceSection.tsx';
import { RooflineSection } from '../gpu/RooflineSection.tsx';
import { ProgressLine } from '../gpu/RunBar.tsx';
import { saveText } from '../gpu/save-text.ts';
import { VersionsSection } from '../gpu/VersionsSection.tsx';
import { formatHash, parseHash, replaceQuery } from '../shell/hash-location.ts';

const SECTIONS = [
  ['device', 'Device'],
  ['proof', 'Proof'],
  ['roofline', 'Roofline'],
  ['versions', 'Versions'],
  ['race', 'Race'],
  ['methods', 'Methods'],
  ['growth', 'Growth'],
] as const;
type Section = (typeof SECTIONS)[number][0];

interface Place {
  section: Section;
  kernel: string;
}

function placeInAddress(): Place {
  const query = new URLSearchParams(parseHash(location.hash).query);
  const section = SECTIONS.find(([id]) => id === query.get('see'))?.[0] ?? 'device';
  return { section, kernel: query.get('kernel') ?? '' };
}

export default function GpuPage() {
  const [session, setSession] = useState<LabSession | null>(null);
  const [place, setPlace] = useState<Place>(placeInAddress);
  // A race goes on while another section is looked at: once opened, it stays.
  const [raced, setRaced] = useState(false);
  const tabs = useRef<HTMLElement>(null);
  const status = useLab((s) => s.status);
  const failure = useLab((s) => s.failure);
  const opened = useLab((s) => s.opened);

  useEffect(() => {
    const running = new LabSession();
    setSession(running);
    void running.start();
    return () => running.dispose();
  }, []);

  useEffect(() => {
    const follow = (): void => setPlace(placeInAddress());
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);

  useEffect(() => {
    if (place.section === 'race') setRaced(true);
    // A phone shows five of the seven.
    tabs.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [place.section]);

  const go = (next: Place): void => {
    replaceQuery(queryOf(next));
    setPlace(next);
  };
  const pick = (kernel: string): void => go({ section: 'versions', kernel });

  const report = opened?.report;
  const name =
    report &&
    (report.description || report.device || `${report.vendor} ${report.architecture}`.trim() || 'unnamed adapter');
  const views: Record<Section, () => ReactNode> = {
    device: () => report && <DeviceSection report={report} />,
    proof: () => <ProofSection session={session} />,
    roofline: () => <RooflineSection session={session} onPick={pick} />,
    versions: () =>
      opened && <VersionsSection session={session} kernels={opened.kernels} chosen={place.kernel} onChoose={pick} />,
    race: () => null,
    methods: () => <MethodsSection session={session} />,
    growth: () => <GrowthSection session={session} />,
  };
  return (
    <main className={css.page} aria-busy={status === 'opening'}>
      <header className={css.head}>
        <div>
          <h1>GPU</h1>
          <p data-testid="adapter">
            {status === 'opening' && 'Asking the browser.'}
            {name}
            {report?.software && <span className={css.badge}>on the processor</span>}
          </p>
        </div>
        {opened && <ExportButton />}
      </header>
      {failure && (
        <div className={css.failure} role="alert">
          <p>{failure.reason}</p>
          <p>{failure.advice}</p>
        </div>
      )}
      {!failure && (
        <>
          <nav ref={tabs} className={css.tabs} aria-label="Sections of the GPU tab">
            {SECTIONS.map(([id, title]) => (
              <a
                key={id}
                href={formatHash('/gpu', queryOf({ ...place, section: id }))}
                aria-current={id === place.section ? 'page' : undefined}
                data-testid={`see-${id}`}
              >
                {title}
              </a>
            ))}
          </nav>
          <ProgressLine />
          {views[place.section]()}
          {raced && opened && (
            <div hidden={place.section !== 'race'}>
              <RaceSection />
            </div>
          )}
        </>
      )}
    </main>
  );
}

function queryOf({ section, kernel }: Place): string {
  const query = new URLSearchParams();
  if (section !== 'device') query.set('see', section);
  if (section === 'versions' && kernel) query.set('kernel', kernel);
  return query.toString();
}

function ExportButton() {
  const save = (): void => {
    const { findings, wallMs, opened, doctor } = useLab.getState();
    if (!opened) return;
    const runtime = navigator.userAgent;
    const about = { date: new Date(), wallMs, runtime, adapter: opened.report, doctor: doctor ?? [] };
    saveText('tenfold-bench.json', `${JSON.stringify(benchReport(findings, about), null, 1)}\n`, 'application/json');
  };
  return (
    <Button icon={Download} onClick={save} testId="export-json">
      Export JSON
    </Button>
  );
}
