import type { SparkProgress } from './progress.ts'

/**
 * How much a row counts: a constant, a table from the values of a column (rows with other values are left out), or a
 * number column weighted as `offset + factor · x` or `offset + factor · ln(1 + x)`. As in `@seesaw/loader`.
 */
export type Confidence =
  | number
  | { column: string; values: Readonly<Record<string, number>> | ReadonlyMap<string | number, number> }
  | { column: string; weight: 'linear' | 'log1p'; factor?: number; offset?: number }

export interface SparkSource {
  /** For statistics and messages. */
  name: string
  /**
   * A file, or a folder or prefix (all *.parquet, *.parq and *.pq below it, hidden names left out): a path, or `s3://`,
   * `hdfs://` ... as Spark reads it. Hive partitions are no columns.
   */
  uri?: string
  /** Files, in place of `uri`. */
  files?: readonly string[]
  /** Column of user ids: integers or strings. Default `user_id`. */
  user?: string
  /** Column of item ids. Default `item_id`. */
  item?: string
  /** Default 1, which needs an `alpha` above 1. */
  confidence?: Confidence
  /** Fraction of the users to take, in (0, 1]: the same in every source. Default 1. */
  sample?: number
}

export interface S3Credentials {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

/** How to reach the store, as for the loader; what is left out is Spark's own to find. */
export interface S3Options {
  /** `http(s)://host[:port]` of an S3-compatible store. Default: AWS. */
  endpoint?: string
  region?: string
  /** Fixed keys, or a function that is asked once, when the job starts. They travel in the environment alone. */
  credentials?: S3Credentials | (() => Promise<S3Credentials>)
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. Default: true when `endpoint` is given. */
  forcePathStyle?: boolean
  maxAttempts?: number
}

/** How to start Spark. */
export interface SparkOptions {
  /**
   * Environment of spark-submit: PATH, JAVA_HOME, HADOOP_CONF_DIR ... Usually `process.env`, which the library does not
   * read by itself.
   */
  environment: Readonly<Record<string, string | undefined>>
  /** Default `spark-submit`, found on the PATH. */
  submit?: string
  /** `local[*]` (default), `local[N]`, `spark://host:port`, `yarn` or `k8s://...`. */
  master?: string
  /**
   * Python of the driver, with numpy. Default: that of the virtual environment that `submit` is in, else Spark's own
   * choice (PYSPARK_PYTHON, or `python3`).
   */
  python?: string
  /** Properties of Spark by name. Keys of S3 are refused here: a command line is for everybody to see. */
  conf?: Readonly<Record<string, string | number | boolean>>
  /** Maven coordinates that Spark fetches at its start, such as `org.apache.hadoop:hadoop-aws:3.5.0`. */
  packages?: readonly string[]
  /** Jars to add. */
  jars?: readonly string[]
}

export interface MergeOnSparkOptions {
  sources: readonly SparkSource[]
  /** Rows a user and an item need over all sources, after sampling and confidence. Default 1, as in `@seesaw/loader`. */
  thresholds?: { user?: number; item?: number }
  /** Decides the sample, the start and what is held out. Default 42. */
  seed?: number
  /** Folder that all nodes reach: a path, or `s3://`, `hdfs://` ... One run at a time. */
  directory: string
  spark: SparkOptions
  s3?: S3Options
  /** Ends the run: SIGTERM to spark-submit, SIGKILL to its process group after 8 s. */
  signal?: AbortSignal
  onProgress?: (progress: SparkProgress) => void
}

export interface TrainOnSparkOptions extends MergeOnSparkOptions {
  /** Length k of a vector. Default 128. */
  factors?: number
  /** Iterations of alternating least squares. Default 15; MLlib starts afar, its tenth is about our third. */
  iterations?: number
  /** L2 penalty, times the entries of a row: `regularizationScaling: 'count'`, the only one that MLlib has. Default 0.1. */
  regularization?: number
  /** Confidence of an entry is `alpha` times its value; that must be above 1 for every entry. Default 1. */
  alpha?: number
  /** Blocks of users and of items. Default max(10, entries / 10 million). */
  blocks?: number
  /** Iterations between two checkpoints, which cut the lineage. Default 5. */
  checkpointInterval?: number
  /** Fraction of the entries, by a hash of (user, item), not to train on but to measure with. Default 0. */
  holdOut?: number
  /** Users whose entries and vectors are written apart to measure with. Default 20,000. */
  heldOutUsers?: number
}

/** A source with every default filled in: `uri` or `files`, one of the two. */
export interface ResolvedSource {
  name: string
  uri?: string
  files?: string[]
  user: string
  item: string
  confidence: Confidence
  sample: number
}

/** Options with every default filled in. */
export interface ResolvedOptions {
  sources: ResolvedSource[]
  thresholds: { user: number; item: number }
  seed: number
  directory: string
  spark: Required<Omit<SparkOptions, 'python'>> & { python?: string }
  s3?: S3Options
  factors: number
  /** 0: the merged entries and no model. */
  iterations: number
  regularization: number
  alpha: number
  blocks?: number
  checkpointInterval: number
  holdOut: number
  heldOutUsers: number
  signal?: AbortSignal
  onProgress?: (progress: SparkProgress) => void
}
