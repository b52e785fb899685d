/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  // what the tests synthesise holds the programs as they are now
  globalSetup: '<rootDir>/test/support/bundles.js',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // a busy machine is no failure; waits for something end sooner, and say for what
  testTimeout: 120_000,
  // types are checked by `npm run types`, once and for all files
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      { tsconfig: { module: 'commonjs', target: 'es2022', isolatedModules: true }, diagnostics: false },
    ],
  },
  moduleNameMapper: {
    '^mediform$': '<rootDir>/constructs/index.ts',
    '^mediform/testing$': '<rootDir>/constructs/testing.ts',
    '^mediform/pulumi$': '<rootDir>/stacks/index.ts',
    '^mediform/aws$': '<rootDir>/stacks/aws/index.ts',
    '^mediform/(cache|gateway|cost)$': '<rootDir>/runtime/$1/index.ts',
  },
};
