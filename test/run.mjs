// Runs the test files under test/, each in a process of its own, at most two at a time.
//
//   node test/run.mjs [fragment…]     only files whose path contains one of the fragments
//
// A file fails as a whole when it runs no test, forgets test.run(), leaves an open handle, dies
// or exceeds its limit. Two comments in a file's first lines change how it is run:
//   // test-limit: 180s      its time limit (default 240 s: a guard against hanging)
//   // test-alone            nothing else runs beside it
// The last line printed is always `N passed, N failed` (and `, N skipped` when there are any).
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const defaultLimitSeconds = 240
const openHandleGraceSeconds = 5
const parallelism = 2
const inCi = process.env.CI === 'true'

function findTests(fragments) {
  const all = fs
    .readdirSync(path.join(root, 'test'), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name.split(path.sep).join('/')}`)
    .sort()
  if (fragments.length === 0) return all
  return all.filter((name) => fragments.some((fragment) => name.includes(fragment)))
}

function describe(source) {
  const head = fs.readFileSync(path.join(root, source), 'utf8').slice(0, 2000)
  const limit = /^\/\/ test-limit: (\d+)s\s*$/m.exec(head)?.[1]
  return {
    source,
    compiled: path.join(root, 'build/js', source.replace(/\.ts$/, '.js')),
    limitSeconds: limit === undefined ? defaultLimitSeconds : Number(limit),
    alone: /^\/\/ test-alone\s*$/m.test(head),
  }
}

function readReport(file) {
  if (!fs.existsSync(file)) return []
  const lines = fs.readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line))
}

/** Runs one file; resolves to its counts, its failures in words and what it printed. */
async function runFile(file, reportDirectory, index) {
  const start = performance.now()
  const reportFile = path.join(reportDirectory, `${index}.jsonl`)
  let output = ''
  let killed = ''
  const child = spawn(process.execPath, ['--enable-source-maps', file.compiled], {
    cwd: root,
    env: { ...process.env, PEERNET_TEST_REPORT: reportFile, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // its own process group, so that grandchildren die with it
  })
  running.add(child)
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  const kill = (why) => {
    killed = why
    killGroup(child)
  }
  const limit = setTimeout(
    () => kill(`killed after its limit of ${file.limitSeconds} s`),
    file.limitSeconds * 1000,
  )
  const watch = watchForEnd(reportFile, () =>
    kill(`all its tests ended, but the process did not: a handle is left open`),
  )
  const [code, signal] = await new Promise((resolve) => {
    child.on('error', (error) => {
      output += String(error)
      resolve([1, null])
    })
    // 'exit' and a short drain rather than 'close': an orphan may hold the pipe open.
    child.on('exit', (...status) => setTimeout(() => resolve(status), 50))
  })
  clearTimeout(limit)
  clearInterval(watch)
  killGroup(child)
  child.stdout.destroy()
  child.stderr.destroy()
  running.delete(child)
  const result = judge(readReport(reportFile), { code, signal, killed })
  return { ...result, file, output, seconds: (performance.now() - start) / 1000 }
}

const running = new Set()

function killGroup(child) {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // the group is gone already
  }
}

function watchForEnd(reportFile, onStuck) {
  let endedAt = 0
  return setInterval(() => {
    if (endedAt === 0) {
      if (readReport(reportFile).some((entry) => entry.kind === 'end')) endedAt = Date.now()
    } else if (Date.now() - endedAt > openHandleGraceSeconds * 1000) {
      onStuck()
    }
  }, 500)
}

function judge(report, { code, signal, killed }) {
  const of = (kind) => report.filter((entry) => entry.kind === kind)
  const skips = of('skip')
  const failures = of('fail').map((entry) => `${entry.title}: ${entry.message}`)
  const passed = of('pass').length
  for (const entry of of('not-run')) failures.push(`${entry.title}: run() was never called`)
  if (inCi && of('only').length > 0) failures.push('.only leaves the other tests out')
  if (killed !== '') {
    const last = report.at(-1)
    failures.push(last?.kind === 'start' ? `${killed}, in "${last.title}"` : killed)
  } else if (signal !== null) {
    failures.push(`died of ${signal}`)
  } else if (code !== 0 && failures.length === 0) {
    failures.push(`exit status ${code}`)
  } else if (of('start').length > passed + of('fail').length + skips.length) {
    failures.push('ended in the middle of a test')
  } else if (failures.length + of('only').length + of('end').length === 0 && passed > 0) {
    failures.push('ended before all its tests had run')
  }
  if (passed + skips.length === 0 && failures.length === 0) failures.push('it ran no test')
  return { passed, skips, failures }
}

function printResult(result) {
  const { file, passed, skips, failures, seconds, output } = result
  const counts = [`${passed} ok`]
  if (skips.length > 0) counts.push(`${skips.length} left out`)
  if (failures.length > 0) counts.push(`${failures.length} FAILED`)
  const mark = failures.length > 0 ? 'FAIL' : 'ok  '
  console.log(`${mark} ${file.source}  ${counts.join(', ')}  ${seconds.toFixed(1)} s`)
  for (const skip of skips) console.log(`     left out: ${skip.title} (${skip.message})`)
  if (failures.length === 0) return
  for (const failure of failures) console.log(`     ${failure.replaceAll('\n', '\n     ')}`)
  console.log(`----- output of ${file.source}\n${output.trimEnd()}\n-----`)
}

async function pool(files, width, work) {
  const queue = [...files]
  const next = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) await work(file)
  }
  await Promise.all(Array.from({ length: width }, next))
}

async function main() {
  const files = findTests(process.argv.slice(2)).map(describe)
  const reportDirectory = fs.mkdtempSync(path.join(os.tmpdir(), 'peernet-test-'))
  const total = { passed: 0, failed: 0, skipped: 0 }
  let index = 0
  const work = async (file) => {
    const result = await runFile(file, reportDirectory, index++)
    printResult(result)
    total.passed += result.passed
    total.failed += result.failures.length
    total.skipped += result.skips.length
  }
  if (files.length === 0) {
    console.log('no test file matches')
    total.failed += 1
  }
  await pool(
    files.filter((file) => !file.alone),
    parallelism,
    work,
  )
  await pool(
    files.filter((file) => file.alone),
    1,
    work,
  )
  fs.rmSync(reportDirectory, { recursive: true, force: true })
  if (process.env.PEERNET_TEST_SUMMARY) {
    fs.writeFileSync(process.env.PEERNET_TEST_SUMMARY, JSON.stringify(total))
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
  console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
  process.exitCode = total.failed > 0 ? 1 : 0
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of running) killGroup(child)
    process.exit(1)
  })
}
await main()
