import { createRequire } from 'node:module'
import { join } from 'node:path'
import { openCloud } from '../runtime/open-cloud.js'
import type { OpenCloudOptions } from '../runtime/open-options.js'
import { KeyStore } from '../security/key-store.js'
import { PeerName } from '../security/peer-name.js'
import { statePaths } from '../storage/paths.js'
import type { JsonObject } from './controller.js'
import { NamingService } from './service.js'

export interface LocalServiceOptions {
  readonly defaults?: OpenCloudOptions
  readonly log?: (event: JsonObject) => void
}

/** The identities of this user. */
export function userKeyStore(): KeyStore {
  return new KeyStore(join(statePaths().data, 'identities'))
}

/** A service whose node lives in this process. */
export function localService(options: LocalServiceOptions = {}): NamingService {
  return new NamingService(
    {
      openCloud,
      signer: async (identityName, peerName, password) => {
        const store = userKeyStore()
        const identity = await store.load(identityName, password)
        const name = new PeerName(peerName)
        // An unsecured name, a name of our own, or one that somebody delegated to us.
        return name.authority === '0' || name.authority === identity.authority
          ? identity
          : store.delegated(identity, name.authority, name.classifier)
      },
      version: packageVersion(),
      log: options.log ?? (() => {}),
    },
    options.defaults,
  )
}

export function packageVersion(): string {
  const require = createRequire(import.meta.url)
  return (require('../../package.json') as { version: string }).version
}
