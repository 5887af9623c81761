// The two rules of the house that no stock configuration knows: which room may import which, and
// what protocol machines may not touch. test/unit/house/lint.test.ts proves that both bite.
import importX, { createNodeResolver } from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'

/** Rooms of protocol machines. */
const PROTOCOLS = ['pnrp', 'graph', 'content', 'discovery']

const BELOW_RUNTIME = ['core', 'wire', 'native', ...PROTOCOLS, 'security', 'storage', 'io']

/** Room under lib/ → the rooms it may import besides itself. `index` is lib/index.ts. */
export const DOORS = {
  core: [],
  native: ['core'],
  wire: ['core', 'native'],
  pnrp: ['core', 'wire', 'native'],
  graph: ['core', 'wire', 'native'],
  content: ['core', 'wire', 'native'],
  discovery: ['core', 'wire'],
  security: ['core', 'wire', 'native', 'pnrp'],
  storage: ['core', 'wire', 'pnrp', 'graph', 'content'],
  io: ['core', 'wire', 'native', ...PROTOCOLS],
  testing: ['core', 'wire', 'native', 'pnrp', 'graph', 'discovery', 'security'],
  runtime: [...BELOW_RUNTIME],
  index: [...BELOW_RUNTIME, 'runtime'],
  daemon: [...BELOW_RUNTIME, 'runtime', 'index'],
  cli: [...BELOW_RUNTIME, 'runtime', 'index', 'daemon'],
}

/** Files of lib/native that are not for every room that may enter it. */
const PRIVATE_NATIVE = {
  'addon.ts': ['native', 'index'],
  'udp.ts': ['native', 'io'],
}

/** Rooms of protocol machines and codecs: no I/O, no clock, no chance, no promises. */
export const SANS_IO = ['core', 'wire', ...PROTOCOLS]

/** The one part of a room that may enter another: the guided tour shows the simulator. */
const GUEST = { room: 'cli', other: 'testing', targets: ['./lib/cli/*.ts', './lib/cli/!(demo)/**'] }

const pathOf = (room) => (room === 'index' ? 'lib/index.ts' : `lib/${room}`)

const isGuest = (room, other) => room === GUEST.room && other === GUEST.other

function zones() {
  const rooms = Object.keys(DOORS)
  const doors = rooms.flatMap((room) =>
    rooms
      .filter((other) => other !== room && !DOORS[room].includes(other))
      .map((other) => ({
        target: isGuest(room, other) ? GUEST.targets : `./${pathOf(room)}`,
        from: `./${pathOf(other)}`,
        message: `lib/${room} may import only ${['itself', ...DOORS[room]].join(', ')}.`,
      })),
  )
  const privates = Object.entries(PRIVATE_NATIVE).flatMap(([file, allowed]) =>
    rooms
      .filter((room) => DOORS[room].includes('native') && !allowed.includes(room))
      .map((room) => ({
        target: `./${pathOf(room)}`,
        from: `./lib/native/${file}`,
        message: `lib/native/${file} is only for ${allowed.join(', ')}: use a façade beside it.`,
      })),
  )
  return [...doors, ...privates]
}

const useTime = 'time enters as an argument (lib/core/instant.ts)'
const useDeadlines = 'deadlines are data (lib/core/deadlines.ts); the driver owns the one OS timer'
const useRng = 'randomness comes from the Rng given in (lib/core/rng.ts)'
const useEffects = 'machines answer with effects that the driver carries out (lib/core/machine.ts)'
const useErrors = 'throw a PeernetError on misuse, count what the network got wrong'

const BANNED_GLOBALS = {
  Date: useTime,
  performance: useTime,
  setTimeout: useDeadlines,
  setInterval: useDeadlines,
  setImmediate: useDeadlines,
  clearTimeout: useDeadlines,
  clearInterval: useDeadlines,
  clearImmediate: useDeadlines,
  queueMicrotask: useEffects,
  Promise: useEffects,
  process: useErrors,
  console: useErrors,
  fetch: useEffects,
  crypto: useRng,
  globalThis: 'it hides the banned globals; name what you need',
  global: 'it hides the banned globals; name what you need',
}

const BANNED_SYNTAX = [
  [':function[async=true]', `no async functions here: ${useEffects}`],
  ['AwaitExpression', `no await here: ${useEffects}`],
  ['ForOfStatement[await=true]', `no await here: ${useEffects}`],
  ['ImportExpression', 'no dynamic import here: the door rules could not see it'],
  ['TSTypeReference[typeName.name=/^Promise(Like)?$/]', `no promises here: ${useEffects}`],
]

const ALLOWED_BUILTINS = ['node:util', 'node:url', 'node:buffer']

const BARE_BUILTINS =
  '^(assert|async_hooks|child_process|cluster|crypto|dgram|dns|events|fs|http|http2|https|net|os|' +
  'path|perf_hooks|process|readline|stream|timers|tls|tty|v8|vm|worker_threads|zlib)(/|$)'

function sansIoRules() {
  return {
    'no-restricted-globals': [
      'error',
      ...Object.entries(BANNED_GLOBALS).map(([name, message]) => ({ name, message })),
    ],
    'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: useRng }],
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(?!${ALLOWED_BUILTINS.map((name) => `${name}$`).join('|')})node:`,
            message: `${useEffects}; hashes come through lib/native or a port.`,
          },
          { regex: BARE_BUILTINS, message: useEffects },
        ],
      },
    ],
    'no-restricted-syntax': [
      'error',
      ...BANNED_SYNTAX.map(([selector, message]) => ({ selector, message })),
    ],
  }
}

/** The configuration objects for the tree at `root`; they need no type information. */
export function houseRules(root) {
  const parser = { languageOptions: { parser: tseslint.parser } }
  return [
    {
      ...parser,
      files: ['lib/**/*.ts'],
      plugins: { 'import-x': importX },
      settings: {
        'import-x/resolver-next': [
          createNodeResolver({
            extensions: ['.ts', '.js'],
            extensionAlias: { '.js': ['.ts', '.js'] },
          }),
        ],
      },
      rules: {
        'import-x/no-restricted-paths': ['error', { basePath: root, zones: zones() }],
      },
    },
    { ...parser, files: SANS_IO.map((room) => `lib/${room}/**/*.ts`), rules: sansIoRules() },
  ]
}
