/**
 * The version of the rules, part of every snapshot and episode file: an action log replays only under the rules it was recorded with.
 * It is a checksum of all tables, so an edited hardness or recipe changes it by itself; edits of code that change what a log replays to
 * must raise RULES (the golden replay test fails until both agree).
 */
import { STATES } from './blocks.ts';
import { crc32 } from './hash.ts';
import {
  DURABILITY,
  FOOD,
  FUEL,
  ITEM_NAMES,
  ITEM_TIER,
  ITEM_TOOL,
  PLACES,
  SATURATION_Q8,
  SMELTS_TO,
  STACK_MAX,
} from './items.ts';
import { RECIPES } from './recipes.ts';

const RULES = 3;

const itemTables = [DURABILITY, FOOD, FUEL, ITEM_TIER, ITEM_TOOL, PLACES, SATURATION_Q8, SMELTS_TO, STACK_MAX].map(
  (t) => [...t],
);

export const SIM_VERSION = crc32(
  new TextEncoder().encode(JSON.stringify([RULES, STATES, ITEM_NAMES, itemTables, RECIPES])),
);
