/** Names of the server's operations, as faults and the log of requests use them. */
export type Operation =
  | 'root'
  | 'quotas'
  | 'listCollections'
  | 'listAliases'
  | 'getCollection'
  | 'createCollection'
  | 'updateCollection'
  | 'deleteCollection'
  | 'updateAliases'
  | 'createIndex'
  | 'upsert'
  | 'count'
  | 'getPoints'
  | 'getPoint'
  | 'scroll'
  | 'deletePoints'
  | 'overwritePayload'
  | 'query'
  | 'queryBatch'
  | 'queryGroups'
  | 'optimizations'

export interface SeenRequest {
  operation: Operation
  collection: string | undefined
  body: Record<string, unknown> | undefined
  bytes: number
}

export type Fault =
  /** The connection breaks: before the request is carried out, or (`applied`) after, so that only the answer is lost. */
  | { kind: 'reset'; applied?: boolean }
  /** An answer of that status in place of carrying it out. */
  | { kind: 'status'; status: number; error?: string; retryAfter?: string }
  /** The request waits this long first. */
  | { kind: 'slow'; milliseconds: number }
  /** No answer, ever. */
  | { kind: 'hang' }
  /** 200 with `status: "wait_timeout"`, nothing carried out. */
  | { kind: 'wait_timeout' }
  /** The answer says something else: `change` gets its JSON, `{ result, status, time }`. */
  // biome-ignore lint/suspicious/noExplicitAny: each operation answers otherwise
  | { kind: 'answer'; change(answer: any): void }
  /** Runs in the middle of the request, such as a second publisher. */
  | { kind: 'call'; call(request: SeenRequest): void | Promise<void> }

export interface FaultRule {
  operation: Operation
  fault: Fault
  /** Only these requests. Default all of the operation. */
  when?(request: SeenRequest): boolean
  /** Matching requests that pass first. Default 0. */
  skip?: number
  /** How many requests it hits. Default 1. */
  times?: number
}

/** Faults to inject, in the order they were added; each hits its number of requests and is gone. */
export class Faults {
  #rules: Required<FaultRule>[] = []
  /** How many requests were hit. */
  hits = 0

  add(rule: FaultRule): void {
    this.#rules.push({ when: () => true, skip: 0, times: 1, ...rule })
  }

  clear(): void {
    this.#rules = []
    this.hits = 0
  }

  take(request: SeenRequest): Fault | undefined {
    for (const rule of this.#rules) {
      if (rule.operation !== request.operation || rule.times === 0 || !rule.when(request)) continue
      if (rule.skip > 0) {
        rule.skip--
        continue
      }
      rule.times--
      this.hits++
      return rule.fault
    }
    return undefined
  }
}
