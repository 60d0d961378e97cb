/** Checks all properties and prints what they met; bundled and run by properties.test.ts. */
import { forksAgree, invariantsHold, itemsAreConserved } from './properties.ts';

const invariants = invariantsHold();
const items = itemsAreConserved();
forksAgree();
console.log(JSON.stringify({ invariants, items }));
