// The list itself stands below the page, because the command line prints it too.
export { METHODS, type MethodEntry } from '../../methods/method-list.ts';
