// The set-up behind `npm start` and `npm test`: installs packages, builds the native addon and
// compiles TypeScript, each only when its inputs changed. When all is current it takes a few
// dozen milliseconds and prints nothing; otherwise one line per step done.
//
//   node .ci/setup.mjs          what `npm start` needs (packages, addon, lib)
//   node .ci/setup.mjs --test   the same and the compiled tests, benchmarks and examples
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const at = (...parts) => path.join(root, ...parts)
const require = createRequire(import.meta.url)

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  fail(`Node ${process.versions.node} is too old: peernet needs 20.19 or newer`)
}

function fail(message) {
  process.stderr.write(`setup: ${message}\n`)
  process.exit(1)
}

/** Runs one step: silent when `isCurrent`, else a line with the time it took. */
function step(title, isCurrent, work) {
  if (isCurrent()) return
  const start = performance.now()
  process.stderr.write(`setup: ${title} … `)
  work()
  process.stderr.write(`${((performance.now() - start) / 1000).toFixed(1)} s\n`)
}

function run(command, args, environment = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    maxBuffer: 1 << 28,
  })
  if (result.error) fail(`cannot run ${command}: ${result.error.message}`)
  if (result.status === 0) return
  process.stderr.write(`\n${result.stdout}${result.stderr}`)
  fail(`${[command, ...args].join(' ')} failed (${result.status ?? result.signal})`)
}

function npm(args) {
  // Under npm, npm_execpath is the script that runs us; outside, the npm of the PATH.
  const script = process.env.npm_execpath
  if (script && /npm-cli\.js$/.test(script)) run(process.execPath, [script, ...args])
  else run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args)
}

const stampPath = (name) => at('node_modules', `.peernet-${name}`)

function readStamp(file) {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function lockStamp() {
  return createHash('sha256')
    .update(fs.readFileSync(at('package-lock.json')))
    .digest('hex')
}

function packages() {
  const current = () => {
    if (readStamp(stampPath('lock')) === lockStamp()) return true
    return installedMatchesLock()
  }
  step('installing packages (npm ci)', current, () => {
    // The addon is built by the next step; no other package here needs its install script.
    npm(['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'])
    fs.writeFileSync(stampPath('lock'), lockStamp())
  })
}

/** True when a plain `npm ci` or `npm install` has already put the locked versions in place. */
function installedMatchesLock() {
  try {
    const wanted = JSON.parse(fs.readFileSync(at('package-lock.json'), 'utf8')).packages
    const found = JSON.parse(
      fs.readFileSync(at('node_modules/.package-lock.json'), 'utf8'),
    ).packages
    for (const [name, entry] of Object.entries(wanted)) {
      if (name === '' || (entry.optional && !found[name])) continue
      if (found[name]?.version !== entry.version) return false
    }
    fs.writeFileSync(stampPath('lock'), lockStamp())
    return true
  } catch {
    return false
  }
}

function native() {
  const install = require(at('native/install.cjs'))
  step('building the native addon', install.isCurrent, () => {
    try {
      install.build({ clean: !fs.existsSync(at('build/Makefile')) })
    } catch (error) {
      if (error instanceof install.InstallError) fail(`\n${error.message}`)
      throw error
    }
  })
}

/** One line per file of a tree: path, size, time. Cheap, and enough to notice an edit. */
function treeStamp(directories, files) {
  const hash = createHash('sha256')
  hash.update(process.versions.node)
  const add = (name) => {
    const stat = fs.statSync(at(name))
    hash.update(`${name} ${stat.size} ${stat.mtimeMs}\n`)
  }
  for (const file of files) add(file)
  for (const directory of directories) {
    for (const name of sourcesBelow(directory)) add(name)
  }
  return hash.digest('hex')
}

/** TypeScript files below a directory; packages installed there (bench/peers) are not ours. */
function sourcesBelow(directory) {
  if (!fs.existsSync(at(directory))) return []
  const entries = fs.readdirSync(at(directory), { withFileTypes: true })
  return entries.flatMap((entry) => {
    const name = path.join(directory, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sourcesBelow(name)
    return name.endsWith('.ts') ? [name] : []
  })
}

/** Removes compiled files whose source is gone, so that nothing stale is loaded or packed. */
function prune(outputRoot, sourceRoot) {
  if (!fs.existsSync(at(outputRoot))) return
  for (const name of fs.readdirSync(at(outputRoot), { recursive: true })) {
    const stem = /^(.*)\.(?:d\.ts|js)$/.exec(name)?.[1]
    if (stem === undefined || fs.existsSync(at(sourceRoot, `${stem}.ts`))) continue
    fs.rmSync(at(outputRoot, name))
  }
}

function typescript({ title, project, directories, files, stamp, marker, outputs }) {
  const stampFile = at('build/js', `${stamp}.stamp`)
  const value = treeStamp(directories, files)
  const current = () => readStamp(stampFile) === value && fs.existsSync(at(marker))
  step(title, current, () => {
    if (!fs.existsSync(at(marker))) {
      // tsc -b trusts its own record; without the output that record is wrong.
      fs.rmSync(at('build/js', `${stamp}.tsbuildinfo`), { force: true })
    }
    run(process.execPath, [at('node_modules/typescript/bin/tsc'), '-b', project])
    for (const [output, source] of outputs) prune(output, source)
    fs.mkdirSync(at('build/js'), { recursive: true })
    fs.writeFileSync(stampFile, value)
  })
}

checkNode()
process.chdir(root)
packages()
native()
typescript({
  title: 'compiling lib',
  project: '.',
  directories: ['lib'],
  files: ['tsconfig.json'],
  stamp: 'lib',
  marker: 'dist/index.js',
  outputs: [['dist', 'lib']],
})
if (process.argv.includes('--test')) {
  typescript({
    title: 'compiling tests, benchmarks and examples',
    project: 'test',
    directories: ['lib', 'test', 'bench', 'examples'],
    files: ['tsconfig.json', 'test/tsconfig.json'],
    stamp: 'test',
    marker: 'build/js/test/harness.js',
    outputs: [
      ['build/js/test', 'test'],
      ['build/js/bench', 'bench'],
      ['build/js/examples', 'examples'],
    ],
  })
}
