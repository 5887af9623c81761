// One trial of one system, started by run.ts in a process of its own:
//   node trial.js SUITE INDEX SYSTEM
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { BenchSuite } from './bench.js'

const [suiteName = '', index = '', system = ''] = process.argv.slice(2)
const here = path.dirname(fileURLToPath(import.meta.url))
const url = pathToFileURL(path.join(here, 'cases', `${suiteName}.js`)).href
const suite = ((await import(url)) as { default: BenchSuite }).default
const work = suite.cases[Number(index)]
if (work === undefined) throw new Error(`${suiteName} has no case ${index}`)
const values = await work.trial(system, { quick: false })
process.send?.(values, () => process.exit(0))
