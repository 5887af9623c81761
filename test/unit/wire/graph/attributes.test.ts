// Record attributes, MS-PPGRH 2.2.3.5 with GA-30. Expected values come from the schema there.
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { LIMITS } from '#lib/core/limits.js'
import {
  parseAttributes,
  RESERVED_ATTRIBUTE_NAMES,
  writeAttributes,
  type RecordAttribute,
} from '#lib/wire/graph/attributes.js'
import { same } from '../../../helpers/readable.js'
import { suite } from '../../../harness.js'

const test = suite('record attributes')
const wrap = (inner: string): string => `<attributes>${inner}</attributes>`
const one = (name: string, type: string, value: string): string =>
  wrap(`<attribute name="${name}" type="${type}">${value}</attribute>`)

function parsed(xml: string): readonly RecordAttribute[] {
  const outcome = parseAttributes(xml)
  assert.ok(outcome.ok, outcome.ok ? '' : `${outcome.reason}: ${xml}`)
  return outcome.attributes
}

function refuses(xml: string, reason?: RegExp): void {
  const outcome = parseAttributes(xml)
  assert.ok(!outcome.ok, `accepted: ${xml.slice(0, 200)}`)
  assert.is(outcome.code, 'ERR_PEERNET_BAD_ATTRIBUTES')
  if (reason !== undefined) assert.match(outcome.reason, reason)
}

test('G-040 the sample of the specification is read', () => {
  const sample = `<attributes>
  <attribute name="Owner" type="string">Scott</attribute>
  <attribute name="Birthday" type="date">1972-04-04</attribute>
  <attribute name="Priority" type="int">1</attribute>
</attributes>`
  assert.equal(parsed(sample), [
    { name: 'Owner', type: 'string', value: 'Scott' },
    { name: 'Birthday', type: 'date', value: '1972-04-04' },
    { name: 'Priority', type: 'int', value: '1' },
  ])
})

test('G-040 names are 1 to 40 letters and digits, and may come twice', () => {
  for (const name of ['a', 'Z9', '0', 'x'.repeat(40)]) {
    assert.is(parsed(one(name, 'string', ''))[0]?.name, name)
  }
  for (const name of ['', 'x'.repeat(41), 'a b', 'a-b', 'a.b', 'a_b', '\u00e4', 'a\u0301']) {
    refuses(one(name, 'string', ''), /letters and digits/)
  }
  const twice =
    one('k', 'string', 'a').replace('</attributes>', '') + one('k', 'int', '1').slice(12)
  assert.is(parsed(twice).length, 2)
})

test('G-040 an int has digits only', () => {
  for (const value of ['0', '007', '9'.repeat(100)]) {
    assert.is(parsed(one('n', 'int', value))[0]?.value, value)
  }
  for (const value of ['', '-1', '+1', '1.0', ' 1', '1 ', '1e3', '0x1', '\u0661']) {
    refuses(one('n', 'int', value), /digits/)
  }
})

test('G-040 a date is one of ISO 8601', () => {
  const good = ['1972', '1972-04', '1972-04-04', '2000-02-29', '2024-02-29', '1972-04-04T12:00Z']
  good.push('1972-04-04T12:00:59+14:00', '1972-04-04T24:00Z', '2016-12-31T23:59:60Z')
  good.push('1972-04-04T12:00:00.123456-08:00', '1972-04-04T12:00:00')
  for (const value of good) assert.is(parsed(one('d', 'date', value))[0]?.value, value)
  const bad = ['', '72', '1972-13', '1972-00', '1972-04-31', '1900-02-29', '2023-02-29', '1972-4-4']
  bad.push('04/04/1972', '1972-04-04T', '1972-04-04T25:00Z', '1972-04-04T24:01Z', 'today')
  bad.push('1972-04-04T12:60Z', '1972-04-04T12:00:61Z', '1972-04-04T12:00+24:00', '1972-04-04Z')
  bad.push('1972-04-04T12:00+01:60', ' 1972', '1972-04-04 12:00')
  for (const value of bad) refuses(one('d', 'date', value), /no date/)
})

test('only what the schema knows is allowed', () => {
  refuses('<attribute name="a" type="string"/>')
  refuses('<Attributes/>')
  refuses(wrap('<other/>'))
  refuses(wrap('<attribute name="a"/>'))
  refuses(wrap('<attribute type="string"/>'))
  refuses(wrap('<attribute name="a" type="String"/>'))
  refuses(wrap('<attribute name="a" type="float"/>'))
  refuses(wrap('<attribute name="a" type="string" more="1"/>'))
  refuses(wrap('<attribute name="a" type="string" __proto__="1"/>'))
  refuses('<attributes xmlns="urn:x"/>')
  refuses('<x:attributes xmlns:x="urn:x"/>')
  refuses('<attributes version="1"/>')
  refuses(wrap('text'))
  refuses(wrap('<attribute name="a" type="string"><b/></attribute>'))
  refuses(
    wrap(
      '<attribute name="a" type="string"><attribute name="b" type="int">1</attribute></attribute>',
    ),
  )
  refuses('<attributes/><attributes/>')
  refuses('<attributes/>text')
  refuses('text')
  refuses(' ')
})

test('what is allowed beyond the sample (GA-30)', () => {
  assert.equal(parsed(''), [])
  assert.equal(parsed('<attributes/>'), [])
  assert.equal(parsed(wrap(' \r\n\t ')), [])
  assert.equal(parsed(`<?xml version="1.0" encoding="utf-8"?>${wrap('')}`), [])
  assert.equal(parsed(wrap('<!-- nothing -->')), [])
  const value = parsed(one('s', 'string', '&lt;&amp;&gt;&quot;&apos;&#65;<![CDATA[<b>]]>'))[0]
    ?.value
  assert.is(value, `<&>"'A<b>`)
})

test('attack: no document types, no entities, no processing instructions', () => {
  const bomb = `<!DOCTYPE attributes [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>`
  refuses(`${bomb}${one('s', 'string', '&b;')}`, /document type/)
  refuses(`<!DOCTYPE attributes SYSTEM "file:///etc/passwd">${wrap('')}`, /document type/)
  refuses(one('s', 'string', '&b;'))
  refuses(one('s', 'string', '&nbsp;'))
  refuses(`${wrap('')}<?php ?>`, /processing/)
  refuses(wrap('<?x y?>'), /processing/)
  refuses('<?xml-stylesheet href="x"?><attributes/>', /processing/)
})

test('what is no XML is refused', () => {
  for (const broken of [
    '<',
    '<attributes',
    '<attributes>',
    '</attributes>',
    wrap('<'),
    wrap('&'),
  ]) {
    refuses(broken)
  }
  refuses('<attributes></attribute>')
  refuses(wrap('<attribute name="a" name="a" type="string"/>'))
  refuses(wrap('<attribute name=a type=string/>'))
  refuses(one('s', 'string', '\u0001'))
  refuses(one('s', 'string', '&#0;'))
  refuses(one('s', 'string', '&#xD800;'))
  refuses(one('s', 'string', '\ufffe'))
})

test('attack: length, number and depth are bounded', () => {
  const { graphAttributes, graphAttributesUnits } = LIMITS
  const element = '<attribute name="a" type="int">1</attribute>'
  assert.is(parsed(wrap(element.repeat(graphAttributes))).length, graphAttributes)
  refuses(wrap(element.repeat(graphAttributes + 1)), /too many/)
  const filler = one('s', 'string', '')
  const room = graphAttributesUnits - filler.length
  assert.is(parsed(one('s', 'string', 'x'.repeat(room)))[0]?.value.length, room)
  refuses(one('s', 'string', 'x'.repeat(room + 1)), /too long/)
  refuses('<attributes>'.repeat(10_000))
  refuses(wrap('<attribute name="a" type="string">'.repeat(5000)))
})

const arbitrary = fc.oneof(
  fc.record({
    name: fc.stringMatching(/^[0-9a-zA-Z]{1,40}$/),
    type: fc.constant('string' as const),
    value: fc
      .string({ unit: 'binary', maxLength: 40 })
      .filter((text) => !/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text)),
  }),
  fc.record({
    name: fc.stringMatching(/^[0-9a-zA-Z]{1,40}$/),
    type: fc.constant('int' as const),
    value: fc.stringMatching(/^[0-9]{1,20}$/),
  }),
)

test('G-040 what is written is read again', () => {
  assert.is(
    writeAttributes([{ name: 'a', type: 'string', value: '<&>"\r' }]),
    '<attributes><attribute name="a" type="string">&lt;&amp;&gt;"&#13;</attribute></attributes>',
  )
  fc.assert(
    fc.property(fc.array(arbitrary, { maxLength: 20 }), (list) => {
      same(parsed(writeAttributes(list)), list)
    }),
    { numRuns: 500 },
  )
})

test('what cannot be an attribute is not written', () => {
  const isMisuse = (error: { code?: string }): boolean => error.code === 'ERR_PEERNET_INVALID_ARG'
  const bad: unknown[] = [
    { name: '', type: 'string', value: '' },
    { name: 'a"b', type: 'string', value: '' },
    { name: 'a', type: 'text', value: '' },
    { name: 'a', type: 'int', value: 'x' },
    { name: 'a', type: 'date', value: 'x' },
    { name: 'a', type: 'string', value: '\ud800' },
    { name: 'a', type: 'string', value: '\u0000' },
  ]
  for (const attribute of bad) {
    assert.throws(() => writeAttributes([attribute as RecordAttribute]), isMisuse)
  }
  const many = Array.from({ length: LIMITS.graphAttributes + 1 }, () => ({
    ...{ name: 'a', type: 'int' as const, value: '1' },
  }))
  assert.throws(() => writeAttributes(many), isMisuse)
  const long = {
    name: 'a',
    type: 'string' as const,
    value: 'x'.repeat(LIMITS.graphAttributesUnits),
  }
  assert.throws(() => writeAttributes([long]), isMisuse)
})

test('G-040 the names that applications may not use', () => {
  assert.equal([...RESERVED_ATTRIBUTE_NAMES].sort(), [
    'peercreationtime',
    'peercreatorid',
    'peerlastmodificationtime',
    'peerlastmodifiedby',
    'peerrecordid',
    'peerrecordtype',
  ])
})

test('10,000 spoiled documents never do more than be refused or give attributes', () => {
  const seeds = fc.array(arbitrary, { maxLength: 5 }).map(writeAttributes)
  const spoiled = fc
    .tuple(
      seeds,
      fc.array(fc.tuple(fc.nat(0xffff), fc.string({ unit: 'binary', maxLength: 4 })), {
        maxLength: 3,
      }),
    )
    .map(([xml, edits]) =>
      edits.reduce((text, [chance, put]) => {
        const at = chance % (text.length + 1)
        return text.slice(0, at) + put + text.slice(at + (chance & 3))
      }, xml),
    )
  let accepted = 0
  fc.assert(
    fc.property(spoiled, (xml) => {
      const outcome = parseAttributes(xml)
      if (!outcome.ok) return
      accepted++
      assert.equal(parsed(writeAttributes(outcome.attributes)), outcome.attributes)
    }),
    { numRuns: 10_000 },
  )
  assert.ok(accepted > 500 && accepted < 9500, `${accepted} accepted`)
})

test.run()
