// Entry point of `npm run lab -- ...`. Exit codes: 0 success, 1 a failed run, 2 bad arguments, each with one clear line.

import { describeFlags, parseArgs, UsageError } from './args.ts';
import type { Output } from './command.ts';
import { COMMANDS } from './commands.ts';
import { taken } from './taken.ts';

function help(): string {
  const names = Object.keys(COMMANDS);
  const width = Math.max(...names.map((name) => name.length));
  const lines = names.map((name) => `  ${name.padEnd(width)}  ${COMMANDS[name].summary}`);
  return [
    'usage: npm run lab -- <command> [arguments]',
    '',
    ...lines,
    '',
    'Each command explains itself with --help.',
  ].join('\n');
}

function outputFor(json: boolean): Output {
  let printed = false;
  const people = json ? process.stderr : process.stdout;
  return {
    line: (text) => people.write(`${text}\n`),
    text: (piece) => people.write(piece),
    note: (text) => process.stderr.write(`${text}\n`),
    result(value) {
      if (printed) throw new Error('a command has one result');
      printed = true;
      if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
    },
  };
}

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || name === '--help') {
    process.stdout.write(`${help()}\n`);
    return 0;
  }
  try {
    if (!Object.hasOwn(COMMANDS, name)) {
      throw new UsageError(`unknown command '${name}' (known: ${Object.keys(COMMANDS).join(', ')})`);
    }
    const command = await COMMANDS[name].load();
    if (rest.includes('--help')) {
      const lines = [`usage: npm run lab -- ${name} ${command.usage}`, '', COMMANDS[name].summary, ''];
      process.stdout.write(`${[...lines, ...describeFlags(command.flags)].join('\n')}\n`);
      return 0;
    }
    const args = parseArgs(rest, command.flags);
    await command.run(args, outputFor(args.flags.json === true));
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`lab: ${error.message}\n`);
      return 2;
    }
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`lab: ${message.split('\n')[0]}\n`);
    if (process.env.TENFOLD_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return 1;
  }
}

const code = await main(process.argv.slice(2));
// A reader that is slower than this process must get all of it: exit() drops what a pipe has not taken yet.
await Promise.all([taken(process.stdout), taken(process.stderr)]);
// Dawn keeps threads alive; a finished command ends the process itself.
process.exit(code);
