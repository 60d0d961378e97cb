/** Checks all properties and prints what they met; bundled and run by properties.test.ts. Argument: cases of the one about water. */
import { forksAgree, invariantsHold, itemsAreConserved, screensReturnEverything, waterRests } from './properties.ts';

const invariants = invariantsHold();
const items = itemsAreConserved();
forksAgree();
screensReturnEverything();
const water = waterRests(Number(process.argv[2]));
console.log(JSON.stringify({ invariants, items, water }));
