import type { Endpoint } from '../core/endpoint.js'
import { milliseconds } from '../core/instant.js'
import { drawUnit } from './mix.js'

/** How multicast works on simulated links. */
export interface MulticastOptions {
  /** Share of searches and answers lost, each for itself. Default: the network's loss. */
  readonly loss?: number
  /** Answers come after a random time up to this (the MX of a search). Default 3000. */
  readonly answerDelayMs?: number
}

/** One answer to a search, on its way. */
export interface MulticastAnswer {
  readonly endpoint: Endpoint
  readonly delayUs: number
}

/** More answers than this to one search are not made up: nobody uses more than five. */
const ANSWERS_MAX = 32
const PURPOSE = { pick: 101, lossOfSearch: 102, lossOfAnswer: 103, delay: 104 } as const

/**
 * SSDP as the hosts of one link see it: who announces which search target, and who hears a search.
 * Links are numbers; nothing crosses from one to another.
 */
export class Multicast {
  readonly #seed: number
  readonly #announced = new Map<string, Map<number, Endpoint>>()
  #searches = 0
  #answers = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  get searches(): number {
    return this.#searches
  }

  get answers(): number {
    return this.#answers
  }

  announce(link: number, searchTarget: string, host: number, endpoint: Endpoint): void {
    const key = `${link} ${searchTarget}`
    const announcers = this.#announced.get(key) ?? new Map<number, Endpoint>()
    announcers.set(host, endpoint)
    this.#announced.set(key, announcers)
  }

  withdraw(link: number, searchTarget: string, host: number): void {
    this.#announced.get(`${link} ${searchTarget}`)?.delete(host)
  }

  /** A host has died or left without a word: its answers stop. */
  forget(host: number): void {
    for (const announcers of this.#announced.values()) announcers.delete(host)
  }

  /** The answers that a search will bring. @param reaches false for hosts behind a cut */
  search(
    link: number,
    searchTarget: string,
    searcher: number,
    options: Required<MulticastOptions>,
    reaches: (host: number) => boolean,
  ): MulticastAnswer[] {
    const index = this.#searches++
    const announcers = [...(this.#announced.get(`${link} ${searchTarget}`) ?? [])]
    const luck = (host: number, purpose: number): number =>
      drawUnit(this.#seed ^ index, host, searcher, purpose)
    const heard = announcers.filter(
      ([host]) =>
        host !== searcher &&
        reaches(host) &&
        luck(host, PURPOSE.lossOfSearch) >= options.loss &&
        luck(host, PURPOSE.lossOfAnswer) >= options.loss,
    )
    heard.sort(([a], [b]) => luck(a, PURPOSE.pick) - luck(b, PURPOSE.pick))
    const answers = heard.slice(0, ANSWERS_MAX).map(([host, endpoint]) => ({
      endpoint,
      delayUs: milliseconds(options.answerDelayMs * luck(host, PURPOSE.delay)),
    }))
    this.#answers += answers.length
    return answers
  }
}
