/** The time in which a fresh process loads the module of that name. */
import { createRequire } from 'node:module';
import { milliseconds } from './measure';

const [, , name = ''] = process.argv;
const load = createRequire(__filename);
console.log(milliseconds(() => void load(name)));
