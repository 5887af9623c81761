import type { CloudScope } from './interface.js'

const SCOPE_WORDS = {
  global: 'Global',
  'site-local': 'SiteLocal',
  'link-local': 'LinkLocal',
} as const

/**
 * SSDP search target of a cloud, MS-PNRP 3.1.4.2.2 (there is a space after "Protocol:"); undefined
 * on loopback, where there is nobody to search for by multicast.
 */
export function searchTargetOf(scope: CloudScope): string | undefined {
  if (scope === 'loopback') return undefined
  return `urn:Microsoft Windows Peer Name Resolution Protocol: V4:IPV6:${SCOPE_WORDS[scope]}`
}
