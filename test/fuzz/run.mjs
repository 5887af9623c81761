// Searches with libFuzzer (needs clang, libclang-rt and cmake), two targets at a time; XML of
// discovery, target discovery_xml, with a fuzzer of our own (needs `npm run setup`).
//
//   npm run fuzz                              every target, ten minutes each
//   npm run fuzz -- --seconds 30 [target…]    shorter, only these
//   npm run fuzz -- --keep                    also copies new minimal inputs into the corpus
//
// The canary goes first and must fail, or nothing the others say means anything. Inputs that make
// a target fail are left in build/fuzz/findings; add them to test/fuzz/corpus/<target> once fixed.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildFuzzers } from '../../.ci/cmake.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
process.chdir(root)

const options = { seconds: 600, keep: false, targets: [] }
const args = process.argv.slice(2)
while (args.length > 0) {
  const argument = args.shift()
  if (argument === '--seconds') options.seconds = Number(args.shift())
  else if (argument === '--keep') options.keep = true
  else options.targets.push(argument)
}
if (!(options.seconds > 0)) throw new Error('--seconds takes a positive number')

const inC = fs
  .readdirSync('test/fuzz')
  .filter((name) => name.endsWith('.c'))
  .map((name) => name.replace(/\.c$/, ''))
const XML = 'discovery_xml'
const known = [...inC, XML]
for (const name of options.targets) {
  if (!known.includes(name)) throw new Error(`no target ${name}; there are: ${known.join(', ')}`)
}
const chosen = known.filter(
  (name) => name !== 'canary' && (options.targets.length === 0 || options.targets.includes(name)),
)

const build = chosen.some((name) => name !== XML) ? buildFuzzers() : 'build/fuzz'
const findings = path.resolve(build, 'findings')
fs.mkdirSync(findings, { recursive: true })

const corpusOf = (target) => path.join('test/fuzz/corpus', target)
const programOf = (target) => path.join(build, `fuzz_${target}`)
const environment = {
  ...process.env,
  ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
}

/** Runs one target; resolves to its exit status and the last part of what it said. */
async function fuzz(target, seconds) {
  if (target === XML) return fuzzXml(seconds)
  const found = path.resolve(build, 'corpus', target)
  fs.mkdirSync(found, { recursive: true })
  const flags = [`-max_total_time=${seconds}`, '-timeout=10', '-rss_limit_mb=2048', '-max_len=8192']
  flags.push('-print_final_stats=1', `-artifact_prefix=${findings}/${target}-`)
  return outcomeOf(programOf(target), [...flags, found, corpusOf(target)])
}

/** Its canary is one of its tests. */
function fuzzXml(seconds) {
  const program = 'build/js/test/fuzz/discovery-xml.js'
  return outcomeOf(process.execPath, [program, '--seconds', seconds, '--findings', findings])
}

async function outcomeOf(program, args) {
  const child = spawn(program, args.map(String), { env: environment })
  let tail = ''
  const collect = (chunk) => (tail = (tail + chunk).slice(-20_000))
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const status = await new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)))
  return { status, tail }
}

async function proveThatFailuresShow() {
  const { status, tail } = await fuzz('canary', 120)
  if (status === 0 || !/heap-buffer-overflow/.test(tail)) {
    throw new Error('the canary did not fail: this fuzzing would find nothing')
  }
  for (const name of fs.readdirSync(findings)) {
    if (name.startsWith('canary-')) fs.rmSync(path.join(findings, name))
  }
  console.log('canary: fails, as it must')
}

function keepFound(target) {
  const merge = ['-merge=1', corpusOf(target), path.resolve(build, 'corpus', target)]
  spawnSync(programOf(target), merge, { env: environment })
}

let failed = 0
async function worker(queue) {
  for (let target = queue.shift(); target !== undefined; target = queue.shift()) {
    const { status, tail } = await fuzz(target, options.seconds)
    const runs =
      /number_of_executed_units: (\d+)|(\d+) inputs/.exec(tail)?.slice(1).find(Boolean) ?? '?'
    console.log(`${target}: ${status === 0 ? 'clean' : 'FAILED'}, ${runs} inputs`)
    if (status !== 0) {
      failed += 1
      console.log(tail)
    } else if (options.keep && target !== XML) {
      keepFound(target)
    }
  }
}

if (chosen.some((name) => name !== XML)) await proveThatFailuresShow()
const queue = [...chosen]
await Promise.all([worker(queue), worker(queue)])
process.exitCode = failed > 0 ? 1 : 0
