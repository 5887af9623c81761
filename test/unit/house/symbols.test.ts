// MS-PNRP's codec must run anywhere and never allocate: the objects of native/core may refer to
// four functions of libc and the assert hook, to one another, and to nothing else.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as assert from 'uvu/assert'
import { test } from '../../harness.js'

const ALLOWED = new Set(['memcpy', 'memmove', 'memset', 'memcmp', 'pn_assert_fail'])
/**
 * What compilers add by themselves: stack protector, position independence, the checked forms of
 * mem* under _FORTIFY_SOURCE, wide integer arithmetic of libgcc, sanitizers.
 */
const RUNTIME = new RegExp(
  '^(__stack_chk_fail(_local)?|_GLOBAL_OFFSET_TABLE_|__mem(cpy|move|set)_chk|' +
    '__(u?(div|mod)|mul)ti3|__(popcount|clz|ctz)[dst]i2|__(asan|ubsan|sanitizer)_.*)$',
)

interface Symbols {
  defined: Set<string>
  undefined: Set<string>
}

function symbolsOf(objects: string[]): Symbols {
  const nm = spawnSync('nm', ['-P', ...objects], { encoding: 'utf8' })
  assert.is(nm.status, 0, `nm failed: ${nm.stderr}`)
  const symbols: Symbols = { defined: new Set(), undefined: new Set() }
  for (const line of nm.stdout.split('\n')) {
    const [name = '', kind = ''] = line.split(' ')
    if (kind === 'U') symbols.undefined.add(name)
    else if (/^[A-TV-Z]$/.test(kind)) symbols.defined.add(name)
  }
  return symbols
}

function strangers(objects: string[]): string[] {
  const { defined, undefined: wanted } = symbolsOf(objects)
  return [...wanted].filter(
    (name) => !defined.has(name) && !ALLOWED.has(name) && !RUNTIME.test(name),
  )
}

function coreObjects(): string[] {
  const sources = JSON.parse(readFileSync('native/sources.json', 'utf8')) as { core: string[] }
  return sources.core.map((file) =>
    path.join('build/Release/obj.target/peernet_core/native', file.replace(/\.c$/, '.o')),
  )
}

test('native/core refers only to mem* and its assert hook', () => {
  assert.equal(strangers(coreObjects()), [])
})

test('every exported symbol of native/core carries the pn_ prefix', () => {
  const { defined } = symbolsOf(coreObjects())
  assert.ok(defined.has('pn_version'))
  assert.equal(
    [...defined].filter((name) => !name.startsWith('pn_')),
    [],
  )
})

test('the check notices an allocation and a clock', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'peernet-nm-'))
  const source = path.join(directory, 'bad.c')
  const object = path.join(directory, 'bad.o')
  writeFileSync(
    source,
    '#include <stdlib.h>\n#include <time.h>\nvoid *pn_bad(void);\n' +
      'void *pn_bad(void) { return malloc((size_t)time(NULL)); }\n',
  )
  const cc = spawnSync(process.env['CC'] ?? 'cc', ['-c', source, '-o', object], {
    encoding: 'utf8',
  })
  assert.is(cc.status, 0, cc.stderr)
  assert.equal(strangers([object]).sort(), ['malloc', 'time'])
  rmSync(directory, { recursive: true })
})

test.run()
