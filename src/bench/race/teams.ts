/** The engines of a race, opened one after the other. Who does not start is not forgotten: its reason stands in every row. */
import type { Gpu } from '../../gpu/device.ts';
import type { OpenTeam, Team } from './entrant.ts';
import { openOurs } from './ours.ts';

export interface Field {
  /** Ours first. */
  teams: Team[];
  /** Why the others are not there, by name. */
  absent: Record<string, string>;
}

/**
 * `peers`: by the name that they have in rows. Who is in the field `before` stays as it is; who was absent there is asked
 * again, since a file that was not fetched once may be fetched the next time.
 */
export async function openField(
  gpu: Gpu,
  peers: Readonly<Record<string, OpenTeam>>,
  before: Field | null = null,
): Promise<Field> {
  const field: Field = { teams: [before?.teams[0] ?? (await openOurs(gpu))], absent: {} };
  for (const [name, open] of Object.entries(peers)) {
    try {
      field.teams.push(before?.teams.find((team) => team.name === name) ?? (await open(gpu)));
    } catch (error) {
      field.absent[name] = `it does not start: ${error instanceof Error ? error.message : error}`;
    }
  }
  return field;
}
