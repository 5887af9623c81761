#!/usr/bin/env node
import { createRequire } from 'node:module'
import { createProgram } from './program.js'

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

// A reader that went away (`| head`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1)
})

await createProgram(version).parseAsync()
