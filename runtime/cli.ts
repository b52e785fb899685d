#!/usr/bin/env node
/** The command line: `mediform cost ...`. */
import { run } from './cost/cli/program';

void run(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  terminal: process.stderr.isTTY,
  now: () => new Date(),
}).then((code) => {
  process.exitCode = code;
});
