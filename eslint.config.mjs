import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Forbids imports that would turn a layer's arrow around. */
const layer = (files, forbidden, message) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: forbidden.map((what) =>
          what instanceof RegExp ? { regex: what.source, message } : { group: [what].flat(), message },
        ),
      },
    ],
  },
});
const PULUMI = ['@pulumi/*'];
const CDK8S = [/^(cdk8s|cdk8s-plus-27|constructs)$/];

export default tseslint.config(
  { ignores: ['lib/', 'dist/', 'bundles/', 'coverage/', 'constructs/imports/', '.scratch/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-indexed-object-style': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      // values come from plain JavaScript too, where a type promises nothing
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-unnecessary-type-parameters': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        require: 'readonly',
        URL: 'readonly',
        __filename: 'readonly',
      },
    },
  },
  layer(
    ['constructs/plan/**/*.ts'],
    [...CDK8S, PULUMI, ['**/stacks/**', '**/runtime/**', '**/policies/**']],
    'a plan is pure: it imports neither cdk8s nor Pulumi nor any other layer',
  ),
  layer(
    ['constructs/*.ts'],
    [PULUMI, ['**/stacks/**', '**/runtime/**', '**/policies/**']],
    'constructs import plans only; the root import never loads Pulumi',
  ),
  layer(
    ['runtime/**/*.ts'],
    [...CDK8S, PULUMI, ['**/stacks/**', '**/policies/**'], /\/constructs\/(?!plan\/)/],
    'a program that runs in the cluster imports plans only',
  ),
  layer(
    ['stacks/**/*.ts'],
    [/^@pulumi\/aws$/, ['**/runtime/**', '**/policies/**']],
    'stacks compose constructs; @pulumi/aws is imported by its sub-paths, since the root costs twice the memory',
  ),
);
