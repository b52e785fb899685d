/** Processor time of a server, from Linux's process table. */
import { readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';

/** Linux counts in hundredths of a second, whatever the processor. */
const TICKS_PER_SECOND = 100;

/** Seconds that a program has used so far; NaN where none of that name works in the folder. */
export function processorSeconds(program: string, folder: string): number {
  const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && isProgram(entry, program, folder));
  if (pid === undefined) {
    return NaN;
  }
  // the fields after the name, which may have spaces; these two are user and system time
  const [userTicks, systemTicks] =
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ').slice(11) ?? [];
  return (Number(userTicks) + Number(systemTicks)) / TICKS_PER_SECOND;
}

function isProgram(pid: string, program: string, folder: string): boolean {
  try {
    const [command = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return basename(command) === program && args.some((arg) => arg.includes(folder));
  } catch {
    return false; // it ended meanwhile
  }
}
