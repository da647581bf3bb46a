import type { SecureContextOptions } from 'node:tls'

export interface S3Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
  expiration?: Date
}

/** How to reach the store. Everything left out comes from the AWS SDK's own default chain. */
export interface S3Options {
  /** `http(s)://host[:port]` of an S3-compatible store. Default: AWS. */
  endpoint?: string
  region?: string
  /** Fixed keys, or a function that is asked again before each piece of work, so that keys may expire and be renewed. */
  credentials?: S3Credentials | (() => Promise<S3Credentials>)
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. Default: true when `endpoint` is given. */
  forcePathStyle?: boolean
  /** Attempts of one request, the first included. Default 5. */
  maxAttempts?: number
  /** Pay for the requests and the transfer, as buckets that others share may ask for. Default false. */
  requesterPays?: boolean
  /** `http(s)://[user:password@]host:port` of a proxy that every request goes through. Default: none. */
  proxy?: string
  /** Certificates for an https endpoint: of the authority that signed the store's, and the client's own with its key. */
  tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key' | 'passphrase'> & {
    servername?: string
    /** False accepts any certificate: for tests alone. Default true. */
    rejectUnauthorized?: boolean
  }
}

/** S3Options as they travel to a worker thread: the keys are plain data by then. */
export type S3Connection = Omit<S3Options, 'credentials'> & { credentials?: S3Credentials }

/** Asks for the keys if they are a function's. */
export async function connect(options: S3Options | undefined): Promise<S3Connection | undefined> {
  const credentials = typeof options?.credentials === 'function' ? await options.credentials() : options?.credentials
  return options && { ...options, credentials }
}
