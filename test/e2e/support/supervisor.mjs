// Runs the servers of a test in a folder of their own, and takes both away when the test lets go of it, however the
// test ends: the channel to a parent that was killed closes too. Arguments: the folder.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const logs = join(folder, 'logs');
const children = new Map();
let stopping = false;

function start({ name, command, args, env }) {
  if (stopping) return;
  const log = openSync(join(logs, `${name}.log`), 'a');
  const child = spawn(command, args, { cwd: folder, env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  children.set(name, child);
  child.on('spawn', () => tell({ event: 'started', name, pid: child.pid }));
  child.on('error', (error) => ended(name, error.message));
  child.on('exit', (code, signal) => ended(name, signal ?? `exit code ${code}`));
}

function ended(name, how) {
  if (!children.delete(name)) return;
  tell({ event: 'ended', name, how });
  finishWhenEmpty();
}

/** Nothing here is worth a farewell, and some servers ignore the polite signal for a while. */
function kill(child) {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}

function stop() {
  if (stopping) return;
  stopping = true;
  children.forEach(kill);
  finishWhenEmpty();
}

function finishWhenEmpty() {
  if (!stopping || children.size > 0) return;
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit();
}

function tell(message) {
  if (process.connected) process.send(message, () => undefined);
}

mkdirSync(logs, { recursive: true, mode: 0o700 });
process.on('message', (message) => {
  if (message.start) start(message.start);
  if (message.kill && children.has(message.kill)) kill(children.get(message.kill));
  if (message.stop) stop();
});
process.on('disconnect', stop);
process.on('uncaughtException', (error) => {
  console.error(error);
  stop();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
tell({ event: 'ready' });
