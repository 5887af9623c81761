'use strict'
// Builds or finds the native addon. Runs as the package's install script, and from .ci/setup.mjs.
// Needs nothing but Node itself, a C/C++ compiler, make and python3; it never uses the network:
// node-gyp is told to take the headers that lie beside the running node.
const { execFileSync, spawnSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..')
const stampFile = path.join(root, 'build', 'native.stamp')
const addonFile = path.join(root, 'build', 'Release', 'peernet.node')

/** What the addon depends on: native sources, build recipe, ABI. Same value = nothing to do. */
function sourceStamp() {
  const hash = createHash('sha256')
  hash.update(`${process.platform} ${process.arch} modules ${process.versions.modules}\n`)
  const files = ['binding.gyp', 'native/sources.json']
  for (const group of Object.values(sources())) files.push(...group.map((f) => `native/${f}`))
  for (const name of fs.readdirSync(__dirname, { recursive: true }).sort()) {
    if (/\.(h|def)$/.test(name)) files.push(path.join('native', name))
  }
  hash.update(JSON.stringify(require(path.join(root, 'package.json')).version))
  for (const file of files) {
    hash.update(`\n${file}\n`)
    hash.update(fs.readFileSync(path.join(root, file)))
  }
  return hash.digest('hex')
}

function sources() {
  return JSON.parse(fs.readFileSync(path.join(__dirname, 'sources.json'), 'utf8'))
}

function isCurrent() {
  try {
    return fs.existsSync(addonFile) && fs.readFileSync(stampFile, 'utf8') === sourceStamp()
  } catch {
    return false
  }
}

/** The directory to give node-gyp as nodedir, or undefined when no matching headers are here. */
function findNodeDirectory() {
  const fromEnvironment = process.env.npm_config_nodedir
  const besideNode = path.join(fs.realpathSync(process.execPath), '..', '..')
  for (const candidate of [besideNode, fromEnvironment]) {
    if (candidate && headerVersion(candidate) === process.versions.node) return candidate
  }
  return undefined
}

function headerVersion(directory) {
  try {
    const file = path.join(directory, 'include', 'node', 'node_version.h')
    const text = fs.readFileSync(file, 'utf8')
    const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1]
    return `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`
  } catch {
    return undefined
  }
}

function findNodeGyp() {
  const places = [() => require.resolve('node-gyp/bin/node-gyp.js', { paths: [root] })]
  if (process.env.npm_config_node_gyp) places.push(() => process.env.npm_config_node_gyp)
  if (process.env.npm_execpath) {
    const npmRoot = path.join(path.dirname(process.env.npm_execpath), '..')
    places.push(() => path.join(npmRoot, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js'))
  }
  const beside = path.join(path.dirname(fs.realpathSync(process.execPath)), '..', 'lib')
  places.push(() => path.join(beside, 'node_modules/npm/node_modules/node-gyp/bin/node-gyp.js'))
  for (const place of places) {
    try {
      const file = place()
      if (fs.existsSync(file)) return file
    } catch {
      // not there; try the next place
    }
  }
  return undefined
}

function works(command, args) {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Names of build tools that are missing, in words a person can act on. */
function missingTools() {
  if (process.platform === 'win32') return [] // node-gyp finds Visual Studio itself
  const missing = []
  const cc = process.env.CC || 'cc'
  const cxx = process.env.CXX || 'c++'
  if (!works(cc, ['--version'])) missing.push(`a C compiler (${cc})`)
  if (!works(cxx, ['--version'])) missing.push(`a C++ compiler (${cxx})`)
  if (!works(process.env.MAKE || 'make', ['--version'])) missing.push('make')
  const python = process.env.npm_config_python || process.env.PYTHON
  if (![python, 'python3', 'python'].some((name) => name && works(name, ['--version']))) {
    missing.push('python3')
  }
  return missing
}

/** What `node-gyp clean` does, but compiled JavaScript and other builds under build/ stay. */
function removeBuild() {
  const ours = ['Release', 'Debug', 'Makefile', 'binding.Makefile', 'config.gypi', 'native.stamp']
  const directory = path.join(root, 'build')
  if (!fs.existsSync(directory)) return
  for (const name of fs.readdirSync(directory)) {
    if (!ours.includes(name) && !name.endsWith('.mk')) continue
    fs.rmSync(path.join(directory, name), { recursive: true, force: true })
  }
}

class InstallError extends Error {}

function build({ clean = true, verbose = false } = {}) {
  const missing = missingTools()
  if (missing.length > 0) {
    throw new InstallError(
      `cannot build the native addon: ${missing.join(', ')} not found.\n` +
        '  Debian, Ubuntu: apt-get install g++ make python3\n' +
        '  Fedora:         dnf install gcc-c++ make python3\n' +
        '  macOS:          xcode-select --install\n' +
        'Then run the same command again.',
    )
  }
  const nodeGyp = findNodeGyp()
  if (nodeGyp === undefined) {
    throw new InstallError('cannot find node-gyp: run this through npm (npm install, npm start)')
  }
  if (clean) removeBuild()
  const args = [nodeGyp, 'configure', 'build']
  args.push('--jobs=max', verbose ? '--loglevel=info' : '--loglevel=error')
  const nodeDirectory = findNodeDirectory()
  if (nodeDirectory !== undefined) args.push(`--nodedir=${nodeDirectory}`)
  const environment = { ...process.env }
  delete environment.npm_config_nodedir
  const result = spawnSync(process.execPath, args, {
    cwd: root,
    env: environment,
    encoding: 'utf8',
    stdio: verbose ? 'inherit' : 'pipe',
    maxBuffer: 1 << 28,
  })
  if (result.status !== 0) {
    const hint =
      nodeDirectory === undefined
        ? `\nNo headers of Node ${process.versions.node} lie beside ${process.execPath}, so ` +
          'node-gyp tried to download them.\nInstall Node from nodejs.org (its archive contains ' +
          'them), or set npm_config_nodedir to a directory with include/node.'
        : ''
    throw new InstallError(
      `${result.stdout ?? ''}${result.stderr ?? ''}\nbuilding the native addon failed ` +
        `(exit status ${result.status ?? result.signal}); the compiler's output is above.${hint}`,
    )
  }
  fs.mkdirSync(path.dirname(stampFile), { recursive: true })
  fs.writeFileSync(stampFile, sourceStamp())
}

/** Whether a prebuilt addon for this platform is there and loads. */
function prebuiltWorks() {
  if (process.env.npm_config_build_from_source) return false
  if (!fs.existsSync(path.join(root, 'prebuilds'))) return false
  const probe = `require('node-gyp-build')(${JSON.stringify(root)})`
  return works(process.execPath, ['-e', probe])
}

function main() {
  const force = process.argv.includes('--force')
  const verbose = process.argv.includes('--verbose')
  if (!force && (isCurrent() || prebuiltWorks())) return
  try {
    build({ clean: force || !fs.existsSync(path.join(root, 'build', 'Makefile')), verbose })
  } catch (error) {
    if (!(error instanceof InstallError)) throw error
    process.stderr.write(`peernet: ${error.message}\n`)
    process.exitCode = 1
  }
}

module.exports = { build, isCurrent, missingTools, findNodeDirectory, headerVersion, InstallError }
if (require.main === module) main()
