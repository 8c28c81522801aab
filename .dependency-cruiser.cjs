/**
 * Who may import whom in src/ (docs: "Folders (TypeScript)").
 *
 *     plugins → commands, shell → domain → api, ui → lib
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */

/** Rooms from the top to the floor, and what each may use. Tests may use anything. */
const ROOMS = {
  plugins: ['commands', 'shell', 'domain', 'api', 'ui', 'lib'],
  commands: ['shell', 'domain', 'api', 'ui', 'lib'],
  shell: ['domain', 'api', 'ui', 'lib'],
  domain: ['api', 'ui', 'lib'],
  api: ['lib'],
  ui: ['lib'],
  lib: []
};

const TESTS = '/__tests__/';

const rooms = Object.entries(ROOMS).map(([room, below]) => ({
  name: `${room}-looks-down-only`,
  comment: `src/${room} may use: ${[...below, 'tokens.ts where not a floor'].join(', ')}.`,
  severity: 'error',
  from: { path: `^src/${room}/`, pathNot: TESTS },
  to: {
    path: '^src/',
    pathNot: [
      `^src/(${[room, ...below].join('|')})/`,
      '^src/svg\\.d\\.ts$',
      ...(['plugins', 'commands', 'shell'].includes(room)
        ? ['^src/tokens\\.ts$']
        : [])
    ]
  }
}));

module.exports = {
  forbidden: [
    ...rooms,
    {
      name: 'domain-by-its-door',
      comment: 'A concept is used by others only through its index.ts.',
      severity: 'error',
      from: { path: '^src/domain/([^/]+)/', pathNot: TESTS },
      to: {
        path: '^src/domain/([^/]+)/',
        pathNot: ['^src/domain/$1/', '^src/domain/[^/]+/index\\.ts$']
      }
    },
    {
      name: 'domain-by-its-door-from-above',
      severity: 'error',
      from: { path: '^src/(plugins|commands|shell)/', pathNot: TESTS },
      to: {
        path: '^src/domain/',
        pathNot: '^src/domain/[^/]+/index\\.ts$'
      }
    },
    {
      name: 'lumino-only-in-the-shell',
      comment:
        'Only shell/ and plugins/ touch Lumino (and tokens.ts, for Token).',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: ['^src/(shell|plugins)/', '^src/tokens\\.ts$', TESTS]
      },
      to: { path: 'node_modules/@lumino/' }
    },
    {
      name: 'server-only-through-the-api',
      comment: 'Only api/client.ts and api/hints.ts touch ServerConnection.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: ['^src/api/(client|hints)\\.ts$', TESTS]
      },
      to: { path: 'node_modules/@jupyterlab/services/' }
    },
    {
      name: 'pure-floor',
      comment: 'lib/ holds pure functions: nothing but the language.',
      severity: 'error',
      from: { path: '^src/lib/', pathNot: TESTS },
      to: { path: 'node_modules/' }
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: {},
      to: { circular: true }
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '\\.svg$' }
    },
    {
      name: 'no-test-code-in-the-product',
      severity: 'error',
      from: { pathNot: TESTS },
      to: { path: TESTS }
    },
    {
      name: 'declared-dependencies-only',
      comment: 'What the product imports stands in "dependencies".',
      severity: 'error',
      from: { path: '^src/', pathNot: [TESTS, '^src/testing/'] },
      to: {
        dependencyTypes: [
          'npm-dev',
          'npm-no-pkg',
          'npm-unknown',
          'undetermined'
        ],
        dependencyTypesNot: ['type-only']
      }
    }
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'browser', 'default', 'types'],
      mainFields: ['module', 'main', 'types']
    }
  }
};
