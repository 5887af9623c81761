// Keeps the lines of a run under bench/results, with what it takes to judge and repeat them.
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { projectRoot, type BenchLine } from './bench.js'

function git(...args: string[]): string {
  return spawnSync('git', args, { cwd: projectRoot, encoding: 'utf8' }).stdout.trim()
}

function load(): string {
  return os
    .loadavg()
    .map((value) => value.toFixed(1))
    .join(' ')
}

/** A log named after today and the suites; a further run of the day is added below. */
export class ResultLog {
  readonly file: string

  constructor(names: readonly string[], args: readonly string[]) {
    const date = new Date().toISOString()
    const name = names.length > 0 ? names.join('-') : 'all'
    this.file = path.join(projectRoot, 'bench/results', `${date.slice(0, 10)}-${name}.log`)
    const changed = git('status', '--porcelain') === '' ? '' : ' with changes'
    const commit = `${git('rev-parse', '--short', 'HEAD')}${changed}`
    const cpus = os.cpus()
    const header = [
      `# ${date}, commit ${commit}, command: npm run bench -- ${args.join(' ')}`,
      `# Node ${process.versions.node}, ${cpus.length} x ${cpus[0]?.model ?? 'unknown'}`,
      `# load average at the start ${load()}`,
    ]
    const gap = existsSync(this.file) ? '\n' : ''
    appendFileSync(this.file, `${gap}${header.join('\n')}\n`)
  }

  add(lines: readonly BenchLine[]): void {
    for (const line of lines) appendFileSync(this.file, `${JSON.stringify(line)}\n`)
  }

  end(): void {
    appendFileSync(this.file, `# load average at the end ${load()}\n`)
  }
}
