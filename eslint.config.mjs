import jupyter from '@jupyter/eslint-plugin';
import prettier from 'eslint-config-prettier';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const jupyterPlugin = jupyter.default ?? jupyter;

/** Syntax that would make a UI test prove nothing (STYLE.md, "Honest tests"). */
const NO_FAKES = [
  {
    selector: 'CallExpression[callee.property.name=/^(route|routeFromHAR)$/]',
    message:
      'UI tests talk to the real server: no routes that answer in its place.'
  }
];

export default tseslint.config(
  {
    ignores: [
      '**/node_modules/',
      'lib/',
      'coverage/',
      'dist/',
      'build/',
      'docs/',
      '.venv*/',
      'jupyter_mlws/',
      'src/api/schema.d.ts',
      'ui-tests/.work/',
      'ui-tests/test-results/',
      'ui-tests/playwright-report/'
    ]
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [
      ...tseslint.configs.recommendedTypeChecked,
      jsxA11y.flatConfigs.strict
    ],
    languageOptions: {
      parserOptions: {
        project: './tsconfig.json',
        tsconfigRootDir: import.meta.dirname
      }
    },
    plugins: { jupyter: jupyterPlugin, 'react-hooks': reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      ...jupyterPlugin.configs['recommended-legacy'].rules,
      'react-hooks/exhaustive-deps': 'error',
      eqeqeq: 'error',
      curly: 'error',
      'prefer-arrow-callback': ['error', { allowNamedFunctions: true }],
      'no-console': ['error', { allow: ['warn', 'error'] }],
      // The budgets of STYLE.md.
      'max-lines': ['error', { max: 250 }],
      'max-lines-per-function': ['error', { max: 80, skipComments: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports' }
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // A signal's reason is whatever the caller aborted with.
      '@typescript-eslint/only-throw-error': [
        'error',
        { allowThrowingUnknown: true }
      ],
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/naming-convention': [
        'error',
        {
          selector: 'interface',
          format: ['PascalCase'],
          custom: { regex: '^I[A-Z]', match: true }
        }
      ]
    }
  },
  {
    files: ['src/**/__tests__/**'],
    rules: {
      'max-lines': ['error', { max: 500 }],
      'max-lines-per-function': 'off',
      'jupyter/no-untranslated-string': 'off',
      '@typescript-eslint/unbound-method': 'off'
    }
  },
  {
    // A query's type is inferred from its options: written out, it would say less.
    files: ['src/domain/**/queries.ts', 'src/domain/**/mutations.ts'],
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' }
  },
  {
    files: ['ui-tests/**/*.ts'],
    extends: [...tseslint.configs.recommended],
    plugins: { jupyter: jupyterPlugin },
    rules: {
      'no-restricted-syntax': ['error', ...NO_FAKES],
      'jupyter/galata-prefer-context-menu-helper': 'error',
      'jupyter/galata-prefer-filebrowser-helper': 'error',
      'jupyter/galata-prefer-menu-helper': 'error',
      'jupyter/galata-prefer-notebook-cell-helper': 'error',
      'jupyter/galata-prefer-sidebar-activity-helper': 'error'
    }
  },
  prettier,
  // Prettier's config turns this one off; it is about meaning, not layout.
  { files: ['src/**/*.{ts,tsx}'], rules: { curly: 'error' } }
);
