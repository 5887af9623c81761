import { PeernetError } from '../core/errors.js'
import type { CloudScope } from '../pnrp/interface.js'
import { SCOPES, TRANSPORTS, type OpenCloudOptions } from '../runtime/open-options.js'
import type { Json, JsonObject } from './controller.js'

/** Checked access to a call's parameters; wrong ones are ERR_PEERNET_INVALID_ARG. */
export class Params {
  readonly #values: JsonObject

  constructor(values: JsonObject) {
    this.#values = values
  }

  string(name: string): string {
    const value = this.optionalString(name)
    if (value === undefined) throw invalid(name, 'is missing')
    return value
  }

  optionalString(name: string): string | undefined {
    return this.#optional(name, 'string') as string | undefined
  }

  optionalNumber(name: string): number | undefined {
    return this.#optional(name, 'number') as number | undefined
  }

  optionalBoolean(name: string): boolean | undefined {
    return this.#optional(name, 'boolean') as boolean | undefined
  }

  optionalArray(name: string): readonly Json[] | undefined {
    const value = this.#values[name]
    if (value === undefined || value === null) return undefined
    if (!Array.isArray(value)) throw invalid(name, 'is not a list')
    return value as readonly Json[]
  }

  object(name: string): JsonObject {
    const value = this.#values[name]
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw invalid(name, 'is not an object')
    }
    return value as JsonObject
  }

  optionalStrings(name: string): readonly string[] | undefined {
    const list = this.optionalArray(name)
    if (list?.some((item) => typeof item !== 'string') === true) {
      throw invalid(name, 'is not a list of strings')
    }
    return list as readonly string[] | undefined
  }

  /** The members of `OpenCloudOptions` that a command may give. */
  cloudOptions(): OpenCloudOptions {
    const scope = this.#choice('scope', SCOPES) as CloudScope | undefined
    const transport = this.#choice('transport', TRANSPORTS) as OpenCloudOptions['transport']
    const zone = this.optionalString('interface')
    const addresses = this.optionalStrings('addresses')
    const port = this.optionalNumber('port')
    const seeds = this.optionalStrings('seeds')
    const ssdp = this.optionalBoolean('ssdp')
    return {
      ...(scope === undefined ? {} : { scope }),
      ...(transport === undefined ? {} : { transport }),
      ...(zone === undefined ? {} : { interface: zone }),
      ...(addresses === undefined ? {} : { addresses }),
      ...(port === undefined ? {} : { port }),
      ...(seeds === undefined ? {} : { seeds }),
      ...(ssdp === undefined ? {} : { ssdp }),
    }
  }

  #choice(name: string, allowed: readonly string[]): string | undefined {
    const value = this.optionalString(name)
    if (value !== undefined && !allowed.includes(value)) {
      throw invalid(name, `is not one of ${allowed.join(', ')}`)
    }
    return value
  }

  #optional(name: string, type: 'string' | 'number' | 'boolean'): Json | undefined {
    const value = this.#values[name]
    if (value === undefined || value === null) return undefined
    if (typeof value !== type) throw invalid(name, `is not a ${type}`)
    return value
  }
}

function invalid(name: string, problem: string): PeernetError {
  return new PeernetError('ERR_PEERNET_INVALID_ARG', `parameter '${name}' ${problem}`)
}
