/** What a run of post-training says: tables and metrics of dsa.md sections 5.5 and 6, with intervals over problems. */
import { pairedBootstrap } from '../../../lm/statistics.ts';
import type { ResultTable } from '../eval.ts';
import { domainIds, type PostConfig } from './config.ts';
import type { Measure } from './measure.ts';
import type { ArmResult, PostResult } from './pipeline.ts';
import type { Arm } from './policy.ts';

const ARMS: readonly Arm[] = ['dense', 'sparse'];
const round = (x: number): number => Math.round(x * 1e4) / 1e4;
const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;
const at = (all: ReadonlyMap<string, Measure>, id: string): Measure => {
  const found = all.get(id);
  if (!found) throw new Error(`${id} was not measured`);
  return found;
};

/** Mean outcome over domains. */
const overall = (all: ReadonlyMap<string, Measure>): number => mean([...all.values()].map((m) => m.outcome));
const lengthOf = (all: ReadonlyMap<string, Measure>): number => mean([...all.values()].map((m) => m.length));

/** Both models at the end, and the sparse one where its answers are about as long as the dense one's. */
function domainsTable(c: PostConfig, { arms }: PostResult, seed: number): ResultTable {
  const wanted = lengthOf(arms.dense.final);
  const near = [...arms.sparse.curve].sort(
    (a, b) => Math.abs(lengthOf(a.domains) - wanted) - Math.abs(lengthOf(b.domains) - wanted),
  )[0];
  return {
    name: 'postDomains',
    columns: [
      ...['domain', 'dense', 'DSA', 'difference', '95 % from', 'to', 'tokens dense', 'tokens DSA'],
      ...[`DSA at equal length (step ${near.step})`, 'tokens', 'problems'],
    ],
    rows: domainIds(c).map((id) => {
      const [dense, sparse, matched] = [arms.dense.final, arms.sparse.final, near.domains].map((m) => at(m, id));
      const { value, lower, upper } = pairedBootstrap(sparse.outcomes, dense.outcomes, seed);
      const numbers = [dense.outcome, sparse.outcome, value, lower, upper, dense.length, sparse.length];
      return [id, ...[...numbers, matched.outcome, matched.length].map(round), dense.outcomes.length];
    }),
  };
}

function stagesTable(c: PostConfig, { arms }: PostResult): ResultTable {
  return {
    name: 'postStages',
    columns: ['model', 'domain', 'base', 'specialist', 'distilled', 'mixed', 'language before', 'language after'],
    rows: ARMS.flatMap((arm) =>
      domainIds(c).map((id) => {
        const r = arms[arm];
        const stages = [r.base, r.specialists, r.distilled, r.final].map((m) => round(at(m, id).outcome));
        return [arm, id, ...stages, round(at(r.base, id).consistency), round(at(r.final, id).consistency)];
      }),
    ),
  };
}

function curvesTable(c: PostConfig, { arms }: PostResult): ResultTable {
  return {
    name: 'postCurves',
    columns: ['model', 'step', 'domain', 'outcome', 'tokens', 'language'],
    rows: ARMS.flatMap((arm) =>
      arms[arm].curve.flatMap(({ step, domains }) =>
        domainIds(c).map((id) => {
          const m = at(domains, id);
          return [arm, step, id, round(m.outcome), round(m.length), round(m.consistency)];
        }),
      ),
    ),
  };
}

/** Best minus last of every domain: one mixed stage against one domain after the other. */
function forgettingTable(c: PostConfig, { arms }: PostResult): ResultTable | null {
  const rows = ARMS.flatMap((arm) => {
    const { curve, final, sequential } = arms[arm];
    if (!sequential) return [];
    return domainIds(c).map((id) => {
      const best = Math.max(...curve.map(({ domains }) => at(domains, id).outcome));
      const last = at(sequential.last, id).outcome;
      return [arm, id, round(best - at(final, id).outcome), round((sequential.best.get(id) ?? last) - last)];
    });
  });
  return rows.length === 0
    ? null
    : { name: 'postForgetting', columns: ['model', 'domain', 'mixed', 'sequential'], rows };
}

export function postReport(
  c: PostConfig,
  result: PostResult,
  seed: number,
): { metrics: Record<string, number>; tables: ResultTable[] } {
  const { dense, sparse } = result.arms;
  const metrics: Record<string, number> = {};
  const put = (name: string, of: (r: ArmResult) => number): void => {
    metrics[`${name}Dense`] = of(dense);
    metrics[`${name}Sparse`] = of(sparse);
  };
  put('postBase', (r) => overall(r.base));
  put('postSpecialists', (r) => overall(r.specialists));
  put('postDistilled', (r) => overall(r.distilled));
  put('postFinal', (r) => overall(r.final));
  put('postTokens', (r) => lengthOf(r.final));
  put('postKept', (r) => r.kept[0] / r.kept[1]);
  put('postMismatch', (r) => r.mismatch);
  if (Number.isFinite(sparse.indexLoss)) metrics.postIndexLoss = sparse.indexLoss;
  const all = (r: ArmResult): number[] => domainIds(c).flatMap((id) => at(r.final, id).outcomes);
  const { value, lower, upper } = pairedBootstrap(all(sparse), all(dense), seed);
  Object.assign(metrics, { postDifference: value, postLower95: lower, postUpper95: upper });
  const forgetting = forgettingTable(c, result);
  const tables = [domainsTable(c, result, seed), stagesTable(c, result), curvesTable(c, result)];
  return { metrics, tables: forgetting ? [...tables, forgetting] : tables };
}
