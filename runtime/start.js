'use strict';
// Starts the program that lies beside it, compressed so that it fits into a ConfigMap. Arguments are the program's.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { compileFunction, constants } = require('node:vm');
const { brotliDecompressSync } = require('node:zlib');

const file = join(module.path, 'program.br');
const source = brotliDecompressSync(readFileSync(file)).toString('utf8');
const program = compileFunction(source, ['exports', 'require', 'module', '__filename', '__dirname'], {
  filename: join(module.path, 'program.js'),
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
program(module.exports, require, module, __filename, module.path);
