// The developers' native builds through native/CMakeLists.txt.
//
//   node .ci/cmake.mjs core [--sanitize]     plain cmake: C core and unit tests, then ctest
//   node .ci/cmake.mjs addon [--sanitize]    cmake-js: the addon, in build/cmake-js[-sanitize]
//   node .ci/cmake.mjs fuzz                  clang: the libFuzzer programs, in build/fuzz
//
// PEERNET_PREBUILD=build/cmake-js makes the package load that addon instead of node-gyp's.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)
const jobs = '2'

function run(command, args, environment = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  })
  if (result.error?.code === 'ENOENT') throw new Error(`${command} is not installed`)
  if (result.status !== 0) throw new Error(`${command} ${args[0]} failed`)
}

export function buildCore({ sanitize = false } = {}) {
  const directory = sanitize ? 'build/cmake-sanitize' : 'build/cmake'
  run('cmake', ['-S', 'native', '-B', directory, `-DSANITIZE=${sanitize ? 'ON' : 'OFF'}`])
  run('cmake', ['--build', directory, '--parallel', jobs])
  run('ctest', ['--test-dir', directory, '--output-on-failure'])
}

export function buildAddon({ sanitize = false } = {}) {
  const directory = sanitize ? 'build/cmake-js-sanitize' : 'build/cmake-js'
  const { findNodeDirectory } = require('../native/install.cjs')
  const nodeDirectory = findNodeDirectory()
  const environment = nodeDirectory === undefined ? {} : { npm_config_nodedir: nodeDirectory }
  const tool = path.join(path.dirname(require.resolve('cmake-js/package.json')), 'bin/cmake-js')
  const args = [tool, 'compile', '--directory', 'native', '--out', `${directory}/build`]
  args.push('--prefer-make', '--parallel', jobs, '--log-level', 'warn')
  args.push(`--CDADDON_API_INCLUDE=${path.dirname(require.resolve('node-addon-api/package.json'))}`)
  if (sanitize) args.push('--CDSANITIZE=ON')
  run(process.execPath, args, environment)
  return directory
}

export function buildFuzzers() {
  const directory = 'build/fuzz'
  const options = ['-DFUZZ=ON', '-DCMAKE_C_COMPILER=clang', '-DCMAKE_CXX_COMPILER=clang++']
  run('cmake', ['-S', 'native', '-B', directory, ...options])
  run('cmake', ['--build', directory, '--parallel', jobs])
  return directory
}

const BUILDS = { core: buildCore, addon: buildAddon, fuzz: buildFuzzers }

function main([name, ...options]) {
  const build = BUILDS[name]
  if (build === undefined) throw new Error('usage: node .ci/cmake.mjs core|addon|fuzz [--sanitize]')
  build({ sanitize: options.includes('--sanitize') })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    main(process.argv.slice(2))
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
