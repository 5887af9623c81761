// Packs the package, installs the tarball into an empty project, and uses it there the way users
// will: ESM, CommonJS by import(), types under nodenext, the command.
//
//   node .ci/pack-check.mjs
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const project = fs.mkdtempSync(path.join(os.tmpdir(), 'peernet-pack-'))

function run(command, args, cwd = project) {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

function expect(condition, sentence) {
  if (!condition) throw new Error(sentence)
  console.log(`ok: ${sentence}`)
}

function pack() {
  const output = run('npm', ['pack', '--json', '--pack-destination', project], root)
  // Scripts run before packing may print; the JSON is the last thing.
  const [{ filename, files }] = JSON.parse(output.slice(output.search(/^\[/m)))
  const names = files.map((file) => file.path)
  for (const wanted of [
    ...['LICENSE', 'README.md', 'CHANGELOG.md', 'binding.gyp', 'dist/index.js', 'dist/index.d.ts'],
    ...['native/install.cjs', 'native/sources.json', 'dist/cli/main.js', 'dist/testing/index.js'],
  ]) {
    expect(names.includes(wanted), `the tarball has ${wanted}`)
  }
  // The README refers to the figures, not to what makes them.
  const strangers = names.filter(
    (name) =>
      name !== 'bench/README.md' &&
      /^(test|bench|build|node_modules|\.ci)\/|\.tsbuildinfo$/.test(name),
  )
  expect(strangers.length === 0, `the tarball has nothing else (${names.length} files)`)
  return path.join(project, filename)
}

function install(tarball) {
  const manifest = { name: 'empty', version: '1.0.0', private: true }
  fs.writeFileSync(path.join(project, 'package.json'), JSON.stringify(manifest))
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball])
  run('npm', ['ls', '--all'])
  expect(true, 'it installs into an empty project, npm ls is clean')
}

function use() {
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  const show = 'console.log(m.nativeVersion, typeof m.openCloud)'
  const esm = `import * as m from 'peernet'; await import('peernet/testing'); ${show}`
  fs.writeFileSync(path.join(project, 'esm.mjs'), esm)
  fs.writeFileSync(path.join(project, 'cjs.cjs'), `import('peernet').then((m) => ${show})`)
  for (const file of ['esm.mjs', 'cjs.cjs']) {
    const said = run(process.execPath, [file]).trim()
    expect(said === `${version} function`, `${file} imports it (${said})`)
  }
  const command = path.join(project, 'node_modules/.bin/peernet')
  expect(run(command, ['pnrp', '--help']).includes('decode'), 'the command runs')
  const help = run(command, ['version'])
  expect(help.includes(version), 'the command knows its version')
}

function typecheck() {
  const source =
    "import { openCloud } from 'peernet'\nexport const open: typeof openCloud = openCloud\n"
  fs.writeFileSync(path.join(project, 'types.mts'), source)
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022']
  const types = ['--typeRoots', path.join(root, 'node_modules/@types'), '--types', 'node']
  run(process.execPath, [
    tsc,
    ...options,
    ...types,
    '--lib',
    'es2023,esnext.disposable',
    'types.mts',
  ])
  expect(true, 'its types are accepted under nodenext, library checks included')
}

try {
  install(pack())
  use()
  typecheck()
} catch (error) {
  console.error(`not ok: ${error.message}`)
  if (error.stdout) console.error(error.stdout)
  process.exitCode = 1
} finally {
  fs.rmSync(project, { recursive: true, force: true })
}
