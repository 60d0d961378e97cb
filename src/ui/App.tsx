// The routes. Each page is its own chunk; the playground is asked for at once, the rest when it is opened.

import { type ComponentType, lazy, Suspense, useEffect } from 'react';
import { Route, Router, Switch } from 'wouter';
import { METHODS } from '../methods/method-list.ts';
import { Boundary } from './shell/Boundary.tsx';
import { Header } from './shell/Header.tsx';
import { useHashPath } from './shell/hash-location.ts';

const pages = {
  playground: lazy(() => import('./pages/PlaygroundPage.tsx')),
  train: lazy(() => import('./pages/TrainPage.tsx')),
  dsa: lazy(async () => ({ default: (await import('../methods/dsa/panel/DsaPage.tsx')).DsaPage })),
  learn2pd: lazy(async () => ({ default: (await import('../methods/learn2pd/panel/Learn2pdPage.tsx')).Learn2pdPage })),
  method: lazy(() => import('./pages/MethodPage.tsx')),
  gpu: lazy(() => import('./pages/GpuPage.tsx')),
  languageModel: lazy(() => import('./pages/LanguageModelPage.tsx')),
  runs: lazy(() => import('./pages/RunsPage.tsx')),
  missing: lazy(() => import('./pages/MissingPage.tsx')),
} satisfies Record<string, ComponentType | ReturnType<typeof lazy>>;

/** Name of the place in the window's title. */
function titleOf(path: string): string {
  const places: Record<string, string> = {
    '/': 'Playground',
    '/gpu': 'GPU',
    '/runs': 'Runs',
    '/language-model': 'Language model',
  };
  const name = places[path] ?? METHODS.find(({ id }) => path === `/${id}`)?.title;
  return name ? `${name} – Tenfold` : 'Tenfold';
}

export function App() {
  const [path] = useHashPath();
  useEffect(() => {
    document.title = titleOf(path);
  }, [path]);
  return (
    <Router hook={useHashPath}>
      <Header />
      <Boundary page={path}>
        <Suspense fallback={<main aria-busy="true" style={{ flex: 1 }} />}>
          <Switch>
            <Route path="/" component={pages.playground} />
            <Route path="/dreamer4" component={pages.train} />
            <Route path="/dsa" component={pages.dsa} />
            <Route path="/learn2pd" component={pages.learn2pd} />
            <Route path="/gpu" component={pages.gpu} />
            <Route path="/language-model" component={pages.languageModel} />
            <Route path="/runs" component={pages.runs} />
            {METHODS.filter((method) => !method.page).map((method) => (
              <Route key={method.id} path={`/${method.id}`}>
                <pages.method method={method} />
              </Route>
            ))}
            <Route component={pages.missing} />
          </Switch>
        </Suspense>
      </Boundary>
    </Router>
  );
}
