// The one door to the test runner. It wraps uvu so that run.mjs can count: every test reports its
// outcome to the file named in PEERNET_TEST_REPORT, one JSON line each. What uvu alone lets slip
// (a file without test.run(), a suite that matches nothing, a silent skip) becomes a failure.
import { appendFileSync } from 'node:fs'
import { suite as uvuSuite } from 'uvu'

export type TestBody<T> = (context: T) => void | Promise<void>

export interface Test<T = Record<string, unknown>> {
  (title: string, body: TestBody<T>): void
  /** Registers a test that does not run. The reason is printed and counted. */
  skip(title: string, reason: string): void
  only(title: string, body: TestBody<T>): void
  before(body: TestBody<T>): void
  after(body: TestBody<T>): void
  beforeEach(body: TestBody<T>): void
  afterEach(body: TestBody<T>): void
  /** Starts the suite; every test file ends with it. */
  run(): void
}

export interface SkipOptions {
  /** The reason is one that must not arise in CI (a missing tool or right): a failure there. */
  neverInCi?: boolean
}

class Skip extends Error {
  constructor(
    readonly reason: string,
    readonly neverInCi: boolean,
  ) {
    super(reason)
  }
}

/**
 * Leaves the running test as skipped unless `condition` holds. Call it first in a test's body:
 * `skipUnless(hasTshark, 'tshark is not installed', { neverInCi: true })`.
 */
export function skipUnless(
  condition: boolean,
  reason: string,
  options: SkipOptions = {},
): asserts condition {
  if (!condition) throw new Skip(reason, options.neverInCi === true)
}

/** True in CI, where nothing that CI can provide may be skipped. */
export const inCi: boolean = process.env['CI'] === 'true'

type Outcome =
  | { kind: 'start' | 'pass' | 'only'; title: string }
  | { kind: 'fail'; title: string; message: string }
  | { kind: 'skip'; title: string; message: string }
  | { kind: 'not-run'; title: string }
  | { kind: 'end' }

const reportFile = process.env['PEERNET_TEST_REPORT']

function report(outcome: Outcome): void {
  if (reportFile !== undefined) appendFileSync(reportFile, `${JSON.stringify(outcome)}\n`)
}

let pendingTests = 0
const suitesNotRun = new Set<string>()

process.on('exit', () => {
  for (const title of suitesNotRun) report({ kind: 'not-run', title })
})

function finished(): void {
  pendingTests -= 1
  if (pendingTests === 0) report({ kind: 'end' })
}

function describeSkip(title: string, skip: Skip): void {
  if (skip.neverInCi && inCi) {
    const message = `skipped in CI, where it must run: ${skip.reason}`
    report({ kind: 'fail', title, message })
    throw new Error(message)
  }
  report({ kind: 'skip', title, message: skip.reason })
}

function wrap<T>(title: string, body: TestBody<T>): TestBody<T> {
  return async (context) => {
    report({ kind: 'start', title })
    try {
      await body(context)
      report({ kind: 'pass', title })
    } catch (error) {
      if (error instanceof Skip) {
        describeSkip(title, error)
      } else {
        report({ kind: 'fail', title, message: String(error) })
        throw error
      }
    } finally {
      finished()
    }
  }
}

/** A named group of tests. A file may hold several; each needs its own `run()`. */
export function suite<T = Record<string, unknown>>(name = '', context?: T): Test<T> {
  const inner = uvuSuite<T>(name, context)
  const label = (title: string): string => (name === '' ? title : `${name}: ${title}`)
  const registered: (() => void)[] = []
  const register = (entry: () => void): void => {
    suitesNotRun.add(name === '' ? '(default suite)' : name)
    registered.push(entry)
  }

  const test = ((title: string, body: TestBody<T>) => {
    pendingTests += 1
    register(() => inner(title, wrap(label(title), body)))
  }) as Test<T>
  test.skip = (title, reason) => {
    register(() => {
      inner.skip(title, () => undefined)
      report({ kind: 'skip', title: label(title), message: reason })
    })
  }
  test.only = (title, body) => {
    pendingTests += 1
    register(() => {
      report({ kind: 'only', title: label(title) })
      inner.only(title, wrap(label(title), body))
    })
  }
  test.before = (body) => inner.before(body)
  test.after = (body) => inner.after(body)
  test.beforeEach = (body) => inner.before.each(body)
  test.afterEach = (body) => inner.after.each(body)
  test.run = () => {
    suitesNotRun.delete(name === '' ? '(default suite)' : name)
    for (const entry of registered) entry()
    inner.run()
  }
  return test
}

/** The default suite, for files that need only one. */
export const test: Test = suite()
