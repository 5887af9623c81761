import { SaxesParser, type SaxesTagNS } from 'saxes'
import { LIMITS } from '../../core/limits.js'

/** An element with its names resolved. */
export interface XmlElement {
  readonly uri: string
  readonly local: string
  readonly parent: XmlElement | undefined
  readonly children: readonly XmlElement[]
  /** Text directly inside, all pieces together. */
  readonly text: string
  /** Value of an attribute without a prefix. */
  attribute(name: string): string | undefined
  /** The namespace that a prefix stands for here. */
  namespaceOf(prefix: string): string | undefined
}

export type XmlFault = 'too-long' | 'not-text' | 'too-much' | 'not-xml'

class Element implements XmlElement {
  readonly uri: string
  readonly local: string
  readonly parent: Element | undefined
  readonly children: Element[] = []
  text = ''
  readonly #tag: SaxesTagNS

  constructor(tag: SaxesTagNS, parent: Element | undefined) {
    this.uri = tag.uri
    this.local = tag.local
    this.parent = parent
    this.#tag = tag
  }

  attribute(name: string): string | undefined {
    const { attributes } = this.#tag
    return Object.hasOwn(attributes, name) ? attributes[name]?.value : undefined
  }

  namespaceOf(prefix: string): string | undefined {
    const { ns } = this.#tag
    return Object.hasOwn(ns, prefix) ? ns[prefix] : this.parent?.namespaceOf(prefix)
  }
}

class Stop extends Error {
  constructor(readonly fault: XmlFault) {
    super(fault)
  }
}

/**
 * Parses a datagram's XML into its root element. Well-formedness and namespaces are checked;
 * document types, and with them all entities but the five of XML, and processing instructions are
 * refused; size, depth and numbers are bounded (LIMITS.wsd…). Never throws.
 */
export function parseXml(bytes: Uint8Array): XmlElement | XmlFault {
  if (bytes.length > LIMITS.wsdMessageBytes) return 'too-long'
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return 'not-text'
  }
  try {
    return parseText(text)
  } catch (error) {
    if (error instanceof Stop) return error.fault
    throw error
  }
}

function parseText(text: string): XmlElement {
  let root: Element | undefined
  let open: Element | undefined
  let elements = 0
  let depth = 0
  const stop = (fault: XmlFault): never => {
    throw new Stop(fault)
  }
  const parser = new SaxesParser({ xmlns: true, position: false })
  parser.on('error', () => stop('not-xml'))
  parser.on('doctype', () => stop('not-xml'))
  parser.on('processinginstruction', () => stop('not-xml'))
  parser.on('opentag', (tag) => {
    elements += 1
    depth += 1
    const isMuch =
      elements > LIMITS.wsdElements ||
      depth > LIMITS.wsdDepth ||
      Object.keys(tag.attributes).length > LIMITS.wsdAttributes
    if (isMuch) stop('too-much')
    const element = new Element(tag, open)
    open?.children.push(element)
    root ??= element
    open = element
  })
  parser.on('text', (piece) => {
    if (open !== undefined) open.text += piece
  })
  parser.on('cdata', (piece) => {
    if (open !== undefined) open.text += piece
  })
  parser.on('closetag', () => {
    depth -= 1
    open = open?.parent
  })
  parser.write(text).close()
  return root ?? stop('not-xml')
}

/** The only child of that name, or undefined when there is none or more than one. */
export function onlyChild(
  parent: XmlElement | undefined,
  uri: string,
  local: string,
): XmlElement | undefined {
  const found = childrenOf(parent, uri, local)
  return found.length === 1 ? found[0] : undefined
}

export function childrenOf(
  parent: XmlElement | undefined,
  uri: string,
  local: string,
): readonly XmlElement[] {
  return parent?.children.filter((child) => child.uri === uri && child.local === local) ?? []
}

/** Text made fit to stand in an element. */
export function escapeXml(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // Bare, it would be read as the end of a line (XML 1.0 2.11).
      .replaceAll('\r', '&#13;')
  )
}
